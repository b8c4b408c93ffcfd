# The toolchain from source, for people who live in nixpkgs: one LLVM 22 with its shared library, and clang, rustc and Enzyme
# built against that very LLVM, so that a plugin finds in rustc the LLVM that it was linked with.
#
# Nobody has built these: the machines that this repository is tested on have neither nixpkgs nor its cache. What is tested is that the
# expressions say what they should, against stand-ins (assertions.nix), for the interfaces that nixpkgs, crane and rust-overlay have
# at the revisions in flake.lock. Building LLVM and rustc takes hours, and the results are nobody's bytes but yours; `packages.*`
# of this flake are the locked ones.
{ pkgs, crane, rust-overlay }:
let
  major = "22";
  llvmPackages =
    pkgs."llvmPackages_${major}"
      or (throw "this nixpkgs has no llvmPackages_${major}: take the one of oxide-enzyme's flake.lock, or a newer one");

  # rustc's expression takes its LLVM from sets of packages for the stages of cross-compilation. nixpkgs' default LLVM may be another.
  pinned = set: set // { llvmPackages = set."llvmPackages_${major}"; };
  rust = pkgs.rust_1_96.override {
    inherit llvmPackages;
    pkgsBuildBuild = pinned pkgs.pkgsBuildBuild;
    pkgsBuildHost = pinned pkgs.pkgsBuildHost;
    pkgsBuildTarget = pinned pkgs.pkgsBuildTarget;
    pkgsHostTarget = pinned pkgs.pkgsHostTarget;
  };

  # The other way: the compiler that has Enzyme inside, of the nightly channel.
  nightly = (pkgs.extend rust-overlay.overlays.default).rust-bin.selectLatestNightlyWith (
    toolchain:
    toolchain.default.override {
      extensions = [
        "enzyme"
        "rust-src"
      ];
    }
  );
  craneLib = (crane.mkLib pkgs).overrideToolchain (_: nightly);
in
{
  llvm = llvmPackages.libllvm.override { enableSharedLibraries = true; };
  clang = llvmPackages.clang;
  lld = llvmPackages.lld;
  rustc = rust.packages.stable.rustc;
  cargo = rust.packages.stable.cargo;
  enzyme = pkgs.enzyme.override { inherit llvmPackages; };
  inherit nightly;

  # The crate through crane. Its tests need the driver, so they are not run here: `checks` of this flake run them.
  oxide-enzyme = craneLib.buildPackage {
    pname = "oxide-enzyme";
    src = import ../source.nix;
    cargoExtraArgs = "--locked --package oxide-enzyme";
    doCheck = false;
  };
}
