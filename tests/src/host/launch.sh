# The first process of a new mount and process-id namespace: prepares what nspawn needs in there and
# runs it. When this process goes, the kernel ends everything in the namespace, and the mounts with it.
#
# Arguments: root (read-only base), the host's own directory, control groups (a file that lists their
# directories), host name, then nspawn's own arguments.
set -eu
base=$1 own=$2 groups=$3 name=$4
shift 4

mount -t proc proc /proc
while read -r group; do
    mkdir -p "$group"
    echo $$ >"$group/cgroup.procs"
done <"$groups"
mkdir -p /run/systemd
mount -t tmpfs -o mode=0755 tmpfs /run/systemd
mount -t overlay overlay -o "lowerdir=$base,upperdir=$own/upper,workdir=$own/work" "$own/root"
# Once: a later boot finds what the host has made of it.
[ -e "$own/upper/etc/hostname" ] || echo "$name" >"$own/root/etc/hostname"

# With --keep-unit, a reboot inside makes nspawn end with 133 for its service manager to start it again.
while :; do
    status=0
    systemd-nspawn --quiet --boot --directory="$own/root" --hostname="$name" --register=no --keep-unit \
        --private-network --console=pipe --resolv-conf=off --timezone=off --link-journal=no \
        "$@" || status=$?
    [ "$status" -eq 133 ] || exit "$status"
done
