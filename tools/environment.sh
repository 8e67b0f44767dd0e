# Sourced by the scripts: where caches live. Outside the checkout, so that a fresh clone is warm.
KADMESH_CACHE=${KADMESH_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/kadmesh}
CCACHE_DIR=${CCACHE_DIR:-$KADMESH_CACHE/ccache}
# Objects of one checkout serve another: paths below it are made relative, its name left out.
CCACHE_BASEDIR=$PWD
CCACHE_NOHASHDIR=1
export KADMESH_CACHE CCACHE_DIR CCACHE_BASEDIR CCACHE_NOHASHDIR
