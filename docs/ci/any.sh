#!/bin/sh
# For any CI: builds again when the base image has changed. The CI has the credentials as secrets, and keeps
# seen.json for the next time.
set -eu
curl -fsSL https://raw.githubusercontent.com/OWNER/docker-registry/main/install.sh | INSTALL_DIR=$PWD sh -s -- --no-extras
export DOCKER_REGISTRY_CREDENTIALS="$REGISTRY_USERNAME:$REGISTRY_PASSWORD"
code=0
./docker-registry changed --state seen.json "$BASE_IMAGE" || code=$?
case $code in
0) make image ;;
8) echo "$BASE_IMAGE has not changed" ;;
*) exit "$code" ;;
esac
