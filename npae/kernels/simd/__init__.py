"""Vector loops written in LLVM: what the compiled kernels spend their time in."""
