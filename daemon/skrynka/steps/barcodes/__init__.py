"""Read the barcodes on one page; runs in reader processes only.

glance      what every page gets: QR codes alone, on few pixels
ladder      what pages get that need more: attempt after attempt
softening   pixels whose finest detail is gone
engines     the two libraries
qr_side     is a QR code seen through the paper?
"""

from skrynka.steps.barcodes.glancing import NOTHING_SEEN, Glance, glance
from skrynka.steps.barcodes.ladder import is_enough, judged, may_settle, read_codes

__all__ = ["NOTHING_SEEN", "Glance", "glance", "is_enough", "judged", "may_settle", "read_codes"]
