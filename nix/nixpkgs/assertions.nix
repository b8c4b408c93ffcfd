# What can be said of the nixpkgs way in without nixpkgs: with stand-ins that remember how they were called, each expression must come
# out as the table says. Every line that does not is named, in one message. The result is `true` or an error.
let
  # Something with an `override` that shows what was overridden.
  recorded = name: {
    inherit name;
    override = arguments: { inherit name arguments; };
  };
  llvm = major: {
    libllvm = recorded "libllvm-${major}";
    clang = "clang-${major}";
    lld = "lld-${major}";
  };
  stage = name: {
    inherit name;
    llvmPackages = llvm "21";
    llvmPackages_22 = llvm "22";
  };
  pkgs = {
    llvmPackages = llvm "21";
    llvmPackages_22 = llvm "22";
    pkgsBuildBuild = stage "build-build";
    pkgsBuildHost = stage "build-host";
    pkgsBuildTarget = stage "build-target";
    pkgsHostTarget = stage "host-target";
    enzyme = recorded "enzyme";
    rust_1_96.override = arguments: {
      packages.stable = {
        rustc = { inherit arguments; };
        cargo = { inherit arguments; };
      };
    };
    extend = overlay: overlay pkgs pkgs;
  };
  rust-overlay.overlays.default = _: _: {
    rust-bin.selectLatestNightlyWith = select: select { default = recorded "nightly"; };
  };
  crane.mkLib = _: {
    overrideToolchain = choose: {
      buildPackage = arguments: arguments // { toolchain = choose pkgs; };
    };
  };
  found = import ./packages.nix { inherit pkgs crane rust-overlay; };
  overlay = import ./overlay.nix { inherit crane rust-overlay; } pkgs { };
  old = import ./packages.nix {
    pkgs = removeAttrs pkgs [ "llvmPackages_22" ];
    inherit crane rust-overlay;
  };
  rustc = found.rustc.arguments;
  fails = value: !(builtins.tryEval value).success;

  table = {
    "LLVM is 22" = found.llvm.name == "libllvm-22";
    "LLVM has its shared library" = found.llvm.arguments.enableSharedLibraries;
    "clang is of that LLVM" = found.clang == "clang-22";
    "lld is of that LLVM" = found.lld == "lld-22";
    "rustc is built against LLVM 22" = rustc.llvmPackages.clang == "clang-22";
    "rustc's LLVM is 22 in every stage" = builtins.all (
      name: rustc.${name}.llvmPackages.libllvm.name == "libllvm-22"
    ) [ "pkgsBuildBuild" "pkgsBuildHost" "pkgsBuildTarget" "pkgsHostTarget" ];
    "the stages are not mixed up" =
      map (name: rustc.${name}.name) [ "pkgsBuildBuild" "pkgsBuildHost" "pkgsBuildTarget" "pkgsHostTarget" ]
      == [ "build-build" "build-host" "build-target" "host-target" ];
    "cargo comes from the same build" = found.cargo.arguments.llvmPackages.clang == "clang-22";
    "Enzyme is nixpkgs' own, at LLVM 22" = found.enzyme.name == "enzyme" && found.enzyme.arguments.llvmPackages.clang == "clang-22";
    "nightly has the component enzyme" = builtins.elem "enzyme" found.nightly.arguments.extensions;
    "crane builds with that nightly" = found.oxide-enzyme.toolchain == found.nightly;
    "crane builds our crate, as locked" = found.oxide-enzyme.cargoExtraArgs == "--locked --package oxide-enzyme";
    "the overlay has the same packages" = builtins.attrNames overlay.oxide-enzyme == builtins.attrNames found;
    "a nixpkgs without LLVM 22 is refused" = fails old.clang && fails old.enzyme.arguments.llvmPackages.clang;
  };
  wrong = builtins.filter (line: !table.${line}) (builtins.attrNames table);
in
wrong == [ ] || throw "nix/nixpkgs: not so:\n  ${builtins.concatStringsSep "\n  " wrong}"
