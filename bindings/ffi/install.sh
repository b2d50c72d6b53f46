#!/bin/sh
# Builds libgptimage and installs it for C and C++, with Rust and a C compiler only: `bindings/ffi/install.sh PREFIX`.
#
#   PREFIX/include/gptimage.h, gptimage.hpp
#   PREFIX/lib/libgptimage.a
#   PREFIX/lib/libgptimage.so -> libgptimage.so.0.1 -> libgptimage.so.0.1.0    (macOS: libgptimage.0.1.dylib, and so on)
#   PREFIX/lib/pkgconfig/gptimage.pc, PREFIX/lib/cmake/gptimage/
#
# DESTDIR from the environment is prepended to PREFIX for the copies only. CARGO and CARGO_TARGET_DIR are used for cargo.
set -eu

fail() {
  echo "$0: $1" >&2
  exit 1
}

[ $# = 1 ] && [ -n "$1" ] || fail 'one argument is needed, the folder to install into'
sources=$(cd "$(dirname "$0")/../.." && pwd)
case $1 in /*) prefix=$1 ;; *) prefix=$PWD/$1 ;; esac
prefix=${prefix%/}
case ${DESTDIR:-} in '' | /*) root=${DESTDIR:-}$prefix ;; *) root=$PWD/$DESTDIR$prefix ;; esac
target=${CARGO_TARGET_DIR:-$sources/target}
case $target in /*) ;; *) target=$PWD/$target ;; esac
cd "$sources"

# Checked before a build of several minutes.
for folder in include lib/pkgconfig lib/cmake/gptimage; do
  mkdir -p "$root/$folder" && [ -w "$root/$folder" ] ||
    fail "$root/$folder cannot be written to: choose another PREFIX or DESTDIR, or be a user who may"
done

cargo() {
  # CARGO may contain arguments, such as +1.88.
  # shellcheck disable=SC2086
  command ${CARGO:-cargo} "$@"
}

version=$(cargo pkgid --locked -p gptimage-ffi)
version=${version##*[#@]}
numbers=${version%%[-+]*}
# Incompatible versions have different names: another major version, or before 1.0 another minor version.
case $numbers in
  0.0.*) binary=$numbers ;;
  0.*) binary=${numbers%.*} ;;
  *) binary=${numbers%%.*} ;;
esac

triple=${CARGO_BUILD_TARGET:-$("${RUSTC:-rustc}" -vV | sed -n 's/^host: //p')}
case $triple in
  *-apple-*)
    plain=libgptimage.dylib named=libgptimage.$binary.dylib whole=libgptimage.$numbers.dylib
    name="-Wl,-install_name,$prefix/lib/$named,-current_version,$numbers,-compatibility_version,$binary"
    set -- -C "link-arg=$name" -C link-arg=-Wl,-headerpad_max_install_names
    ;;
  *-windows-* | *-wasi* | *-emscripten | wasm*)
    fail "there are no rules yet for installing on $triple; cargo build --release -p gptimage-ffi builds the library"
    ;;
  *)
    plain=libgptimage.so named=libgptimage.so.$binary whole=libgptimage.so.$numbers
    # Never unloaded: its threads run on in it.
    set -- -C "link-arg=-Wl,-soname,$named" -C link-arg=-Wl,-z,nodelete
    ;;
esac

build() {
  cargo rustc --release --locked -p gptimage-ffi --lib --target-dir "$target" "$@" --print native-static-libs
}
echo "building libgptimage $version" >&2
build -- "$@"
# A second call builds nothing and prints the system libraries that a program needs with the static library.
system=$(build --color never -- "$@" 2>&1 | sed -n 's/^note: native-static-libs: *//p')
[ -n "$system" ] || fail 'the compiler did not say what libgptimage.a needs of the system'
built=$target${CARGO_BUILD_TARGET:+/$CARGO_BUILD_TARGET}/release

# A file appears under its name only when complete; programs that have the old one open keep it.
put() {
  cp "$2" "$3.new"
  name "$1" "$3"
}

fill() {
  sed -e "s|@PREFIX@|$escaped|" -e "s|@VERSION@|$version|" -e "s|@SYSTEM@|$system|" "$1" >"$2.new"
  name 644 "$2"
}

name() {
  chmod "$1" "$2.new"
  mv -f "$2.new" "$2"
}

# Blanks separate words in a .pc file; \, & and | are special to sed.
escaped=$(printf '%s\n' "$prefix" | sed -e 's| |\\ |g' -e 's|[\\&|]|\\&|g')

put 644 include/gptimage.h "$root/include/gptimage.h"
put 644 include/gptimage.hpp "$root/include/gptimage.hpp"
put 644 "$built/libgptimage.a" "$root/lib/libgptimage.a"
put 755 "$built/$plain" "$root/lib/$whole"
[ "$named" = "$whole" ] || ln -sf "$whole" "$root/lib/$named"
ln -sf "$whole" "$root/lib/$plain"
fill bindings/ffi/pkgconfig/gptimage.pc.in "$root/lib/pkgconfig/gptimage.pc"
for file in gptimage-config gptimage-config-version; do
  fill "bindings/ffi/cmake/$file.cmake.in" "$root/lib/cmake/gptimage/$file.cmake"
done
echo "installed libgptimage $version into $root" >&2
