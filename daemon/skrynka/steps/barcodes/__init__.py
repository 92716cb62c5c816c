"""Read the barcodes on one page; runs in reader processes only. `ladder` has the order of attempts."""

from skrynka.steps.barcodes.ladder import read_codes

__all__ = ["read_codes"]
