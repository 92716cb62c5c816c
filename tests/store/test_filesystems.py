from __future__ import annotations

from pathlib import Path

import pytest

from skrynka.store import filesystems
from skrynka.store.filesystems import network_filesystem

MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt rw - tmpfs none rw
31 30 0:41 / /mnt/share rw shared:7 master:3 - nfs4 server:/x rw
32 30 0:42 / /mnt/with\040blank rw - cifs //server/y rw
33 30 0:43 / /mnt/over rw - fuse.sshfs host: rw
34 33 8:2 / /mnt/over rw - ext4 /dev/sdb1 rw
35 30 0:44 / /mnt/usb rw - fuseblk /dev/sdc1 rw
36 30 0:45 / /mnt/ssh rw - fuse.sshfs host: rw
""".lstrip()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib", None),
        ("/mnt/share", "nfs4"),
        ("/mnt/share/deep/er", "nfs4"),
        ("/mnt/shared", None),
        ("/mnt/with blank/x", "cifs"),
        ("/mnt/over", None),
        ("/mnt/usb", None),
        ("/mnt/ssh", "fuse.sshfs"),
    ],
)
def test_the_innermost_and_last_mount_says_what_a_path_lies_on(
    path: str, kind: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    monkeypatch.setattr(filesystems, "_MOUNTS", mounts)
    assert network_filesystem(Path(path)) == kind


def test_this_machines_own_mounts_can_be_read() -> None:
    assert network_filesystem(Path("/proc")) is None
