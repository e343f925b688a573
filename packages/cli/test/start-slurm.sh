#!/bin/bash
# Starts a Slurm of this one machine in a folder, for `npm run test:slurm`. As root, with slurm-wlm and munge of Debian installed:
#   apt-get install slurm-wlm munge
#   packages/cli/test/start-slurm.sh /tmp/slurm && SLURM_CONF=/tmp/slurm/slurm.conf npm run test:slurm
# Ends with: kill $(cat /tmp/slurm/slurmd.pid /tmp/slurm/slurmctld.pid)
set -eu
folder=$(realpath -m "${1:?the folder for its files}")
mkdir -p "$folder"/{state,spool,log}
cat > "$folder/slurm.conf" <<CONF
ClusterName=g2d
SlurmctldHost=$(hostname)
SlurmUser=root
AuthType=auth/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld
SlurmdLogFile=$folder/log/slurmd
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
AccountingStorageType=accounting_storage/none
SchedulerParameters=sched_interval=2,bf_interval=2
KillWait=20
NodeName=$(hostname) CPUs=4 RealMemory=4000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
SlurmdParameters=config_overrides
CONF
[ -f /etc/munge/munge.key ] || mungekey --create
mkdir -p /run/munge
chown munge:munge /run/munge /etc/munge/munge.key
pgrep -x munged > /dev/null || su -s /bin/sh munge -c /usr/sbin/munged
slurmctld -f "$folder/slurm.conf"
slurmd -f "$folder/slurm.conf"
sleep 3
SLURM_CONF="$folder/slurm.conf" sinfo
