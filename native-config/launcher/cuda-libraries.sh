# Sourced by repopt in a CUDA distribution. Puts the CUDA 13 libraries of a toolkit or of Python's packages on LD_LIBRARY_PATH, which
# the system's loader reads only when a process starts. The rules are those of org.repopt4j.runtime.CudaLibraries, and a test holds the
# two together. This runs at every start, so it starts no Python and hardly any other process.

# The folders behind LD_LIBRARY_PATH's own, one a line.
cuda_folders() {
  for cuda_root in "${CUDA_HOME:-}" "${CUDA_PATH:-}" "${CONDA_PREFIX:-}"; do
    for cuda_lib in lib64 lib targets/x86_64-linux/lib; do
      if [ -n "$cuda_root" ] && [ -e "$cuda_root/$cuda_lib/libcublas.so.13" ]; then
        echo "$cuda_root/$cuda_lib"
      fi
    done
  done
  cuda_python_folders "${VIRTUAL_ENV:-}" && return
  cuda_python_folders "${CONDA_PREFIX:-}" && return
  cuda_ifs=$IFS
  IFS=:
  for cuda_bin in $PATH; do
    IFS=$cuda_ifs
    cuda_python=${cuda_bin%/}/python3
    if [ -x "$cuda_python" ]; then
      # The packages of a virtual environment lie beside the link, those of others beside its target.
      cuda_python_folders "${cuda_python%/*/*}" && return
      if [ -L "$cuda_python" ]; then
        cuda_python=$(readlink -f "$cuda_python")
        cuda_python_folders "${cuda_python%/*/*}" && return
      fi
    fi
  done
  IFS=$cuda_ifs
  cuda_python_folders "${HOME:+$HOME/.local}" || cuda_python_folders /usr/local || cuda_python_folders /usr || :
}

# The packages of the Python below the prefix $1; fails where CUDA 13 is not among them: cuDNN and NCCL for CUDA 12 have the same names.
cuda_python_folders() {
  [ -n "$1" ] || return 1
  for cuda_packages in "$1"/lib/python3*/site-packages "$1"/lib/python3*/dist-packages; do
    for cuda_proof in "$cuda_packages"/nvidia/*/lib/libcublas.so.13; do
      if [ -e "$cuda_proof" ]; then
        for cuda_lib in "$cuda_packages"/nvidia/*/lib; do
          echo "$cuda_lib"
        done
        return 0
      fi
    done
  done
  return 1
}

cuda_library_path() {
  cuda_path=${LD_LIBRARY_PATH:-}
  while IFS= read -r cuda_folder; do
    case :$cuda_path: in
      *":$cuda_folder:"*) ;;
      *) cuda_path=${cuda_path:+$cuda_path:}$cuda_folder ;;
    esac
  done <<FOLDERS
$(cuda_folders)
FOLDERS
  if [ -n "$cuda_path" ]; then
    LD_LIBRARY_PATH=$cuda_path
    export LD_LIBRARY_PATH
  fi
}
