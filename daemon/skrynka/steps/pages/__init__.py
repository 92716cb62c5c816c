"""Open a scan, whatever its type, and give its pages one by one as grey pixels.

Everything after opening is a PDF, and pikepdf alone numbers its pages: a TIFF, JPEG or PNG is first made into a PDF,
the same one every time, so that the page that was read is the page that is cut. Runs only inside reader processes.

    opening          a scan's file -> an open scan and its pages, or the reason why it can't be one
    pictures         a TIFF, JPEG or PNG -> a PDF, without loss
    tiff_structure   what a TIFF says of itself
    page_box         what of a page is shown, and how large
    one_image        is the page one image, and which way up?
    decoding         such an image's stream -> grey pixels
    colours          what its colours mean in grey
    drawing          any other page -> grey pixels
    wholeness        is all there that such a page paints?
"""

from skrynka.steps.pages.opening import Limits, OpenPage, OpenScan, open_scan

__all__ = ["Limits", "OpenPage", "OpenScan", "open_scan"]
