"""Vector loops written in LLVM, in which the compiled kernels spend most of their time."""
