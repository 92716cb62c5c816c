#!/bin/sh
# Install or upgrade a station on Debian 12 or Ubuntu, as root, from a checkout: sh systemd/install.sh
#
# The program goes to /opt/skrynka, the configuration to /etc/skrynka (never overwritten), the station to /srv/skrynka.
# With DESTDIR set, files are laid below it and nothing else is done: for packages, and to look before.
#
# Scanners save through Samba or FTP as users of their own. What they need:
#   - each scanner's user is in the group skrynka-scanners: usermod -aG skrynka-scanners scanner1
#   - each inbox belongs to skrynka:skrynka-scanners with mode 3770. Group-writable, for two users must write there;
#     setgid, so that a scan belongs to the group; sticky, so that no scanner takes or replaces another one's scan,
#     while the folder's owner, the service, still may. This script makes them so for the boxes in boxes.toml.
#   - scans are readable by the group and by nobody else. Samba: create mask = 0640, force create mode = 0040.
#     vsftpd: local_umask=027.
set -eu
# The program must be readable by the service's user, whatever root's habit.
umask 022

dest=${DESTDIR:-}
here=$(cd "$(dirname "$0")" && pwd)
source=$(dirname "$here")
config=$dest/etc/skrynka
station=/srv/skrynka

lay_files() {
  install -D -m 0644 "$here/skrynka.service" "$dest/etc/systemd/system/skrynka.service"
  install -D -m 0644 "$here/skrynka.sysusers" "$dest/etc/sysusers.d/skrynka.conf"
  install -D -m 0644 "$here/skrynka.tmpfiles" "$dest/etc/tmpfiles.d/skrynka.conf"
  install -d -m 0750 "$config"
  for name in skrynka boxes case_types; do
    # An admin's file stays as it is.
    [ -e "$config/$name.toml" ] || lay_configuration "$name.toml"
  done
}

# Paths in a configuration start at its own folder; here they are to lead from /etc to the station.
lay_configuration() {
  sed -E \
    -e "s,^# (state|spool|work|archive) = \"([a-z]+)\",\\1 = \"$station/\\2\"," \
    -e "s,sqlite:///skrynka\\.db,sqlite:///$station/state/skrynka.db," \
    -e "s,^inbox = \"inbox/,inbox = \"$station/inbox/," \
    "$source/config/$1" >"$config/$1"
  chmod 0640 "$config/$1"
}

# Install a requirement, and what it needs, into a virtual environment: the versions and hashes of requirements.lock,
# without the developers' tools that stand there too.
install_locked() { # virtual environment, requirement
  sed -e 's/ \\$//' -e '/--hash=/d' "$source/requirements.lock" >"$work/pins.txt"
  "$1/bin/pip" install --quiet --dry-run --ignore-installed --report "$work/report.json" \
    --constraint "$work/pins.txt" "$2"
  "$1/bin/python" - "$work/report.json" "$source/requirements.lock" >"$work/locked.txt" <<'END'
import json, re, sys
def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()
with open(sys.argv[1]) as report, open(sys.argv[2]) as lock:
    wanted = {plain(each["metadata"]["name"]) for each in json.load(report)["install"]}
    blocks = re.split(r"\n(?=\S)", lock.read())
print("\n".join(block for block in blocks if plain(re.match(r"[\w.-]*", block)[0]) in wanted))
END
  "$1/bin/pip" install --quiet --require-hashes --no-deps --requirement "$work/locked.txt"
}

install_program() {
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  python3 -m venv "$work/build"
  install_locked "$work/build" hatchling
  install_locked "$work/build" editables
  "$work/build/bin/pip" wheel --quiet --no-deps --no-build-isolation --wheel-dir "$work" "$source"
  python3 -m venv --clear /opt/skrynka
  install_locked /opt/skrynka "$(echo "$work"/skrynka-*.whl)"
  /opt/skrynka/bin/pip install --quiet --no-deps "$work"/skrynka-*.whl
}

make_inboxes() {
  sed -n -E 's/^inbox = "([^"]+)".*/\1/p' "$config/boxes.toml" | while IFS= read -r inbox; do
    case $inbox in
      "$station"/*) install -d -o skrynka -g skrynka-scanners -m 3770 "$inbox" ;;
      *) echo "Left as it is, see the head of this script for its rights: the inbox $inbox" ;;
    esac
  done
}

if [ -n "$dest" ]; then
  lay_files
  exit 0
fi
if [ "$(id -u)" != 0 ]; then
  echo 'Installing needs root: sudo sh systemd/install.sh' >&2
  exit 3
fi

sh "$source/.packages" run
lay_files
systemd-sysusers /etc/sysusers.d/skrynka.conf
systemd-tmpfiles --create /etc/tmpfiles.d/skrynka.conf
chgrp skrynka /etc/skrynka /etc/skrynka/*.toml
make_inboxes

running=''
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  # Scans wait in their inboxes meanwhile.
  if systemctl is-active --quiet skrynka; then
    running=yes
    systemctl stop skrynka
  fi
fi
install_program
if [ -n "$running" ]; then
  echo 'The service was stopped for the upgrade. Start it again when its database is upgraded: the fourth line below.'
fi
cat <<'END'
Installed. What is left to do:
  edit /etc/skrynka/skrynka.toml and boxes.toml; run this script again for the inboxes of new boxes
  a database's password goes into /etc/credstore/SKRYNKA_DATABASE__URL (root's, 0600), with the whole URL
  for signed sheets: /opt/skrynka/bin/skrynka sheets key --file /etc/credstore/skrynka-sheet-keys
  runuser -u skrynka -- /opt/skrynka/bin/skrynka db upgrade --config /etc/skrynka/skrynka.toml
  runuser -u skrynka -- /opt/skrynka/bin/skrynka check --config /etc/skrynka/skrynka.toml
  systemctl enable --now skrynka
END
