# libcurl with all that it needs, by which cargo and some of LLVM's programs could fetch something.
{ tree }:
tree {
  name = "curl";
  packages = [
    "libbrotli1"
    "libcom-err2"
    "libcurl4t64"
    "libffi8"
    "libgmp10"
    "libgnutls30t64"
    "libgssapi-krb5-2"
    "libhogweed6t64"
    "libidn2-0"
    "libk5crypto3"
    "libkeyutils1"
    "libkrb5-3"
    "libkrb5support0"
    "libldap2"
    "libnettle8t64"
    "libnghttp2-14"
    "libnghttp3-9"
    "libp11-kit0"
    "libpsl5t64"
    "librtmp1"
    "libsasl2-2"
    "libssh2-1t64"
    "libssl3t64"
    "libtasn1-6"
    "libunistring5"
    "libzstd1"
    "zlib1g"
  ];
}
