// A plugin for LLVM that says how many functions a module defines: the smallest thing that proves that a program and its
// plugins share one LLVM. A plugin built against another libLLVM fails to load, or hangs.
#include "llvm/IR/Constants.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/PassManager.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Plugins/PassPlugin.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace {

struct CountFunctions : PassInfoMixin<CountFunctions> {
  PreservedAnalyses run(Module &module, ModuleAnalysisManager &) {
    unsigned defined = 0;
    for (const Function &function : module)
      defined += !function.isDeclaration();
    // Constants live in tables of the context, which program and plugin have in common only if they share one libLLVM.
    Type *word = Type::getInt64Ty(module.getContext());
    bool shared = Constant::getNullValue(word) == ConstantInt::get(word, 0);
    errs() << "count-functions: " << defined << " defined in " << module.getSourceFileName()
           << (shared ? ", one LLVM\n" : ", two LLVMs\n");
    return PreservedAnalyses::all();
  }

  // Runs at every level of optimisation, functions marked `optnone` notwithstanding.
  static bool isRequired() { return true; }
};

} // namespace

extern "C" LLVM_ATTRIBUTE_WEAK PassPluginLibraryInfo llvmGetPassPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "count-functions", "1", [](PassBuilder &builder) {
            builder.registerPipelineParsingCallback(
                [](StringRef name, ModulePassManager &passes, ArrayRef<PassBuilder::PipelineElement>) {
                  if (name != "count-functions")
                    return false;
                  passes.addPass(CountFunctions());
                  return true;
                });
            builder.registerOptimizerLastEPCallback(
                [](ModulePassManager &passes, OptimizationLevel, ThinOrFullLTOPhase) {
                  passes.addPass(CountFunctions());
                });
          }};
}
