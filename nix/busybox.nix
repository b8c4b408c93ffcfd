# The first program. The sandbox is empty (no /bin/sh), and fixed outputs are not executable, so nothing in it could start anything.
# Nix itself has one way to make an executable file without running one: `builtin:unpack-channel`, meant for channels, unpacks any
# archive with one folder at its top. The archive is the `data.tar.xz` of Debian's busybox-static, a member of the deb with a line
# of its own in the lock. busybox then unpacks all the rest: it has sh, tar, xz, dpkg-deb and unzip, in 2 MB and with no library.
{ fetch, lock, system }:
let
  package = lock.package "busybox-static";
  data = fetch {
    name = "busybox-static-${package.version}-data.tar.xz";
    sha256 = package.member.sha256;
  };
  unpacked = derivation {
    name = "busybox-unpacked";
    system = "builtin";
    builder = "builtin:unpack-channel";
    src = data;
    channelName = "usr";
  };
in
derivation {
  name = "busybox";
  inherit system;
  builder = "${unpacked}/usr/bin/busybox";
  args = [
    "sh"
    "-euc"
    ''
      busybox=${unpacked}/usr/bin/busybox
      $busybox mkdir -p $out/bin
      $busybox cp $busybox $out/bin/busybox
      for applet in $($busybox --list); do
        [ $applet = busybox ] || $busybox ln -s busybox $out/bin/$applet
      done
    ''
  ];
}
