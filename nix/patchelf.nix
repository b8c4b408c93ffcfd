# The program that sets the interpreter and the run path of all others. Nothing has set its own yet, so it is started through the loader.
{ run, debs, busybox }:
run {
  name = "patchelf";
  script = ''
    for deb in ${toString (debs [ "patchelf" "libc6" "libgcc-s1" "libstdc++6" ])}; do
      dpkg-deb -x $deb unpacked
    done
    mkdir -p $out/bin $out/lib
    cp unpacked/usr/bin/patchelf $out/lib/
    for library in ld-linux-*.so.* libc.so.6 libm.so.6 libgcc_s.so.1 libstdc++.so.6; do
      cp -L unpacked/usr/lib/*-linux-gnu/$library $out/lib/
    done
    {
      echo '#!${busybox}/bin/sh'
      echo "exec $out/lib/ld-linux-*.so.* --library-path $out/lib $out/lib/patchelf \"\$@\""
    } > $out/bin/patchelf
    chmod +x $out/bin/patchelf
    $out/bin/patchelf --version
  '';
}
