#!/usr/bin/env bash
# Runs every notebook of this folder and writes NAME.html next to it. Fails when a cell fails.
# Needs `mvn -q -DskipTests package` before. REPOPT_LIB names another folder of jars than target/repopt4j/lib.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$here")
kernel=rapaio-jupyter-kernel
version=2.3.0 # 3.0.1 hangs at start now and then

fail() {
  echo "export.sh: $*" >&2
  exit 2
}

java=java
if [ -n "${JAVA_HOME:-}" ]; then
  java=$JAVA_HOME/bin/java
fi
"$java" --list-modules 2>/dev/null | grep -q '^jdk.jshell@' ||
  fail "no JDK of release 17 or later was found (its jshell runs the cells): install one (Debian: apt-get install openjdk-17-jdk-headless) and put java on the PATH or set JAVA_HOME"
release=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
[ "${release:-0}" -ge 17 ] ||
  fail "the notebooks need a JDK of release 17 or later, but $java is release ${release:-unknown}: set JAVA_HOME to a newer one"
jupyter nbconvert --version >/dev/null 2>&1 ||
  fail "jupyter nbconvert was not found: install it (Debian: apt-get install jupyter-nbconvert jupyter-client python3-ipykernel; elsewhere: pip install nbconvert ipykernel)"

export REPOPT_LIB=${REPOPT_LIB:-$root/target/repopt4j/lib}
compgen -G "$REPOPT_LIB/repopt4j*.jar" >/dev/null ||
  fail "there is no repopt4j jar in $REPOPT_LIB: run 'mvn -q -DskipTests package' in $root first, or set REPOPT_LIB to the folder of the library's jars"
# The kernel reads the path from the notebook's folder.
REPOPT_LIB=$(cd "$REPOPT_LIB" && pwd -P)

jar=$root/target/notebooks/$kernel-$version.jar
if [ ! -s "$jar" ]; then
  command -v mvn >/dev/null 2>&1 ||
    fail "mvn was not found, so the Java kernel cannot be fetched: install Maven (Debian: apt-get install maven)"
  mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy \
    -Dartifact="io.github.padreati:$kernel:$version" -DoutputDirectory="$(dirname "$jar")"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Everything that Jupyter writes goes into the temporary folder; what is installed for the user is still found.
JUPYTER_PATH=$(jupyter --data-dir)${JUPYTER_PATH:+:$JUPYTER_PATH}
export JUPYTER_PATH
export JUPYTER_DATA_DIR=$work/data JUPYTER_RUNTIME_DIR=$work/runtime JUPYTER_CONFIG_DIR=$work/config IPYTHONDIR=$work/ipython
native=
if [ "$release" -ge 22 ]; then
  native='"--enable-native-access=ALL-UNNAMED", '
fi
mkdir -p "$JUPYTER_DATA_DIR/kernels/$kernel"
cat >"$JUPYTER_DATA_DIR/kernels/$kernel/kernel.json" <<SPEC
{
  "argv": ["$java", $native"-cp", "$jar", "$here/kernel/StartKernel.java", "{connection_file}"],
  "display_name": "Java",
  "language": "java",
  "interrupt_mode": "message",
  "env": {"RJK_MIMA_CACHE": "$work/mima"}
}
SPEC

for notebook in "$here"/*.ipynb; do
  name=$(basename "$notebook" .ipynb)
  echo "$name.ipynb"
  if ! jupyter nbconvert --log-level WARN --execute --to html --no-prompt \
    --ExecutePreprocessor.startup_timeout=120 --ExecutePreprocessor.timeout=300 \
    --TemplateExporter.extra_template_basedirs="$here" --template page \
    --output-dir "$work/pages" "$notebook" >"$work/log" 2>&1; then
    tail -n 60 "$work/log" >&2
    echo "export.sh: $name.ipynb was not exported: a cell failed, see above" >&2
    exit 1
  fi
  if grep -qF -e "$root" -e "$work" -e "$REPOPT_LIB" "$work/pages/$name.html"; then
    fail "$name.html would contain a path of this machine: a cell prints one (the tag hide-output hides what a cell prints)"
  fi
  mv "$work/pages/$name.html" "$here/$name.html"
  echo "  -> $name.html ($(wc -c <"$here/$name.html") bytes)"
done
