"""Training on several processes, the ranks of MPI, which give the bits of as many threads.

``communicator`` says what ranks need of MPI, ``mpi`` has it of mpi4py, ``agreement`` is what they agree upon at every
step, ``rank_replicas`` sums their gradients.
"""
