# A plugin that is built against this LLVM is loaded by rustc, clang and opt, and finds in each of them the one shared libLLVM.
{ run, toolchain, bash }:
run {
  name = "check-plugin";
  tools = [
    toolchain
    "${bash}/usr"
  ];
  script = ''
    bash ${../../docker/llvm-plugin}/test.sh | tee $out
  '';
}
