#!/bin/sh
# parallel.sh HOSTS SHARE...: labels of many images, asked for over ssh by the machines in the file HOSTS, each for a
# share after the other. SHARE gets SHARE.answers. Run again, it asks for what failed or was not asked for yet.
set -eu
hosts=$1
shift
exec parallel --sshloginfile "$hosts" --jobs 1 --retries 3 --joblog shares.log --resume-failed \
    --basefile docker-registry --transferfile '{}' --return '{}.answers' --cleanup \
    './docker-registry labels --no-cache -j 8 --images {} >{}.answers || case $? in 3 | 4) ;; *) exit 1 ;; esac' ::: "$@"
