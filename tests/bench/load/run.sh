#!/usr/bin/env bash
# Loading RepOpt-VGG-L2 (118 M parameters) in Java and in Python, in one run. Build first: mvn -q -DskipTests package
set -euo pipefail
cd "$(dirname "$0")/../../.."
python=${REPOPT_PYTHON:-/usr/bin/python3}
classpath=$PWD/target/repopt4j/lib/*
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
javac -d "$folder/classes" -cp "$classpath" tests/bench/load/Load.java
java -Dorg.bytedeco.javacpp.maxphysicalbytes=0 -cp "$folder/classes:$classpath" Load write "$folder"
java -version 2>&1 | sed -n 2p
"$python" tests/bench/load/load.py "$classpath" "$folder/classes" "$folder"
