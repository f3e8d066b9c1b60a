"""What autoencoders are used for, each shown beside PCA and raw features of the same size.

``reduction``, ``retrieval``, ``compression``, ``clustering``, ``generation``, ``classification`` and ``anomaly``: one
module each, one command each.
"""
