#!/usr/bin/env bash
# Runs a command beside a Slurm cluster of one node, and ends the cluster with it.
#
#     docker/slurm/one-node.sh COMMAND [ARGUMENT...]     e.g. docker/slurm/one-node.sh srun -n 2 hostname
#
# For trying job files on a machine that has no Slurm running. munged, slurmctld and slurmd run in a network and process namespace of
# their own: nobody else sees their ports, and when the command ends, the kernel ends whatever is left.
# Needs munge, slurmctld, slurmd and slurm-client (Debian's names), util-linux and iproute2, and to be root.
# ONE_NODE_TIMEOUT: seconds that all of it may take (default: 300).
set -euo pipefail

if [[ $# -eq 0 || $1 == -h || $1 == --help ]]; then
    sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"
    [[ $# -gt 0 ]]
    exit
fi
if [[ -z ${ONE_NODE_INSIDE:-} ]]; then
    for tool in munged slurmctld slurmd srun unshare ip; do
        command -v "$tool" >/dev/null || {
            echo "error: $tool is missing: apt-get install munge slurmctld slurmd slurm-client util-linux iproute2" >&2
            exit 2
        }
    done
    [[ $(id -u) -eq 0 ]] || { echo "error: slurmd must be started by root" >&2; exit 2; }
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    ONE_NODE_INSIDE=$folder timeout --kill-after=10 "${ONE_NODE_TIMEOUT:-300}" \
        unshare --net --pid --fork --kill-child --mount-proc "$0" "$@"
    exit
fi

folder=$ONE_NODE_INSIDE
unset ONE_NODE_INSIDE
ip link set lo up
# From the addresses for documentation: with none but 127.0.0.1, getaddrinfo finds the machine to have no IPv4 at all.
ip address add 192.0.2.1/32 dev lo

(umask 077 && head -c 128 /dev/urandom >"$folder/munge.key")
chmod 755 "$folder"
mkdir "$folder/state" "$folder/spool"
cat >"$folder/slurm.conf" <<END
ClusterName=one
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
# What MPICH speaks without a library of Slurm's.
MpiDefault=pmi2
# Four processes on however few cores.
SlurmdParameters=config_overrides
NodeName=localhost NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF=$folder/slurm.conf

munged --foreground --force --socket="$folder/munge.socket" --key-file="$folder/munge.key" \
    --pid-file="$folder/munged.pid" --seed-file="$folder/munge.seed" >"$folder/munged.log" 2>&1 &
slurmctld -D >"$folder/slurmctld.log" 2>&1 &
slurmd -D -N localhost >"$folder/slurmd.log" 2>&1 &

for _ in $(seq 60); do
    state=$(timeout 5 sinfo --noheader --format=%t 2>/dev/null || true)
    [[ $state == idle ]] && break
    sleep 0.25
done
if [[ ${state:-} != idle ]]; then
    echo "error: the node did not come up (its state: ${state:-unknown})" >&2
    tail -n 20 "$folder"/{munged,slurmctld,slurmd}.log >&2
    exit 2
fi
"$@"
