#!/bin/sh
# Make .venv from requirements.lock (every version pinned and hashed, from whatever index pip is set
# to) and put the project in it. `make` calls this when .venv/ready is absent or older than the lock.
set -eu
cd "$(dirname "$0")/.."

python=""
for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$name
        break
    fi
done
if [ -z "$python" ]; then
    found=$("${PYTHON:-python3}" --version 2>&1 | tail -n 1) || found="no python3"
    echo "tradegap needs Python 3.11 or newer; found ${found}. Install one, or: make PYTHON=/path/to/python3" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "tradegap: $python has no venv module; on Debian and Ubuntu: apt-get install python3-venv" >&2
    exit 1
fi

# A finished .venv is brought up to date in place; one that was left half-made is begun again.
if [ -e .venv/ready ]; then
    echo "Bringing .venv up to date with requirements.lock ..."
    rm .venv/ready
else
    echo "Setting up .venv from requirements.lock (once; about a minute) ..."
    "$python" -m venv --clear .venv
fi
# --no-deps: the lock is complete, so pip need not resolve. --no-compile: Python compiles what it
# imports as it goes, and most of what is installed is never imported.
pip=".venv/bin/python -m pip --quiet --quiet --disable-pip-version-check --no-input install --no-deps"
$pip --no-compile --require-hashes --requirement requirements.lock
$pip --no-build-isolation --editable .
pwd > .venv/ready
