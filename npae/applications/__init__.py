"""Applications of autoencoders, each compared with PCA and other baselines.

``reduction``, ``retrieval``, ``compression``, ``clustering``, ``generation``, ``classification`` and ``anomaly``: one
module and one command for each. ``detector`` finds anomalies among new samples, ``deep_clustering`` trains for groups.
"""
