"""What a user of npae, scikit-learn, PyOD and pythae writes for three tasks; ``peers.py`` runs it and counts its lines.

Each function is a whole program with its imports, for samples (n, columns) in float32. ``s`` holds the settings that
all of them share: ``code_size``, ``hidden``, ``epochs``, ``batch_size`` and ``seed``. Learning rates are 1e-3, the
default of npae, scikit-learn and PyOD. The same networks in PyTorch are in ``peer_torch.py``.
"""

# Rebuilding: train, and return the test samples as they are rebuilt


def npae_vanilla(train, test, s):
    from npae import VanillaAutoencoder

    model = VanillaAutoencoder(code_size=s.code_size, epochs=s.epochs, batch_size=s.batch_size, random_state=s.seed)
    return model.fit(train).reconstruct(test)


def npae_deep(train, test, s, loss="bce"):
    from npae import DeepAutoencoder

    training = {"loss": loss, "epochs": s.epochs, "batch_size": s.batch_size, "random_state": s.seed}
    return DeepAutoencoder(hidden=s.hidden, code_size=s.code_size, **training).fit(train).reconstruct(test)


def npae_deep_squared(train, test, s):
    return npae_deep(train, test, s, loss="mse")


def sklearn_pca(train, test, s):
    from sklearn.decomposition import PCA

    pca = PCA(s.code_size, random_state=s.seed).fit(train)
    return pca.inverse_transform(pca.transform(test))


def sklearn_kernel_pca(train, test, s):
    from sklearn.decomposition import KernelPCA

    pca = KernelPCA(s.code_size, kernel="rbf", fit_inverse_transform=True, alpha=0.001, random_state=s.seed).fit(train)
    return pca.inverse_transform(pca.transform(test))


def sklearn_mlp(train, test, s):
    from sklearn.neural_network import MLPRegressor

    layers = (*s.hidden, s.code_size, *reversed(s.hidden))
    training = {"max_iter": s.epochs, "n_iter_no_change": s.epochs, "batch_size": s.batch_size, "random_state": s.seed}
    return MLPRegressor(hidden_layer_sizes=layers, **training).fit(train, train).predict(test)


# Anomalies: train on inliers, and return the scores of the test samples


def npae_reconstruction_score(train, test, s):
    from npae import DeepAutoencoder
    from npae.applications.anomaly_scores import AnomalyScore

    training = {"epochs": s.epochs, "batch_size": s.batch_size, "random_state": s.seed}
    model = DeepAutoencoder(hidden=s.hidden, code_size=s.code_size, **training).fit(train)
    return AnomalyScore(model, train, "reconstruction")(test)


def npae_joint_score(train, test, s):
    from npae import DeepAutoencoder
    from npae.applications.anomaly_scores import AnomalyScore

    training = {"epochs": s.epochs, "batch_size": s.batch_size, "random_state": s.seed}
    model = DeepAutoencoder(hidden=s.hidden, code_size=s.code_size, **training).fit(train)
    return AnomalyScore(model, train, "joint")(test)


def npae_elbo_score(train, test, s):
    from npae import VariationalAutoencoder
    from npae.applications.anomaly_scores import AnomalyScore

    training = {"epochs": s.epochs, "batch_size": s.batch_size, "random_state": s.seed}
    model = VariationalAutoencoder(hidden=s.hidden, code_size=s.code_size, **training).fit(train)
    return AnomalyScore(model, train, "elbo")(test)


def npae_variational_joint_score(train, test, s):
    from npae import VariationalAutoencoder
    from npae.applications.anomaly_scores import AnomalyScore

    training = {"epochs": s.epochs, "batch_size": s.batch_size, "random_state": s.seed}
    model = VariationalAutoencoder(hidden=s.hidden, code_size=s.code_size, **training).fit(train)
    return AnomalyScore(model, train, "joint")(test)


def sklearn_forest_score(train, test, s):
    from sklearn.ensemble import IsolationForest

    return -IsolationForest(random_state=s.seed).fit(train).score_samples(test)


def sklearn_pca_score(train, test, s):
    return ((sklearn_pca(train, test, s) - test) ** 2).mean(axis=1)


def sklearn_kernel_pca_score(train, test, s):
    return ((sklearn_kernel_pca(train, test, s) - test) ** 2).mean(axis=1)


def sklearn_mlp_score(train, test, s):
    return ((sklearn_mlp(train, test, s) - test) ** 2).mean(axis=1)


def pyod_autoencoder_score(train, test, s):
    from pyod.models.auto_encoder import AutoEncoder

    training = {"epoch_num": s.epochs, "batch_size": s.batch_size, "random_state": s.seed, "verbose": 0}
    model = AutoEncoder(preprocessing=False, hidden_neuron_list=[*s.hidden, s.code_size], **training)
    return model.fit(train).decision_function(test)


def pyod_own_autoencoder_score(train, test, s):
    from pyod.models.auto_encoder import AutoEncoder

    training = {"epoch_num": s.epochs, "batch_size": s.batch_size, "random_state": s.seed, "verbose": 0}
    return AutoEncoder(preprocessing=False, **training).fit(train).decision_function(test)


def pyod_vae_score(train, test, s):
    from pyod.models.vae import VAE

    training = {"epoch_num": s.epochs, "batch_size": s.batch_size, "random_state": s.seed, "verbose": 0}
    layers = {"encoder_neuron_list": [*s.hidden], "decoder_neuron_list": [*reversed(s.hidden)]}
    model = VAE(preprocessing=False, latent_dim=s.code_size, **layers, **training)
    return model.fit(train).decision_function(test)


# Generation: train a variational autoencoder, and return n samples by sampler


def npae_generate(train, n, s):
    from npae import VariationalAutoencoder

    training = {"epochs": s.epochs, "batch_size": s.batch_size, "random_state": s.seed}
    model = VariationalAutoencoder(hidden=s.hidden, code_size=s.code_size, **training).fit(train)
    return {sampler: model.sample(n, sampler=sampler) for sampler in ("prior", "gaussian", "gmm")}


def pythae_generate(train, n, s):
    from tempfile import TemporaryDirectory

    from pythae.models import VAE, VAEConfig
    from pythae.pipelines import TrainingPipeline
    from pythae.samplers import GaussianMixtureSampler, MAFSampler, NormalSampler, TwoStageVAESampler
    from pythae.trainers import BaseTrainerConfig

    # Its own networks have one hidden layer of 512 units, whatever s.hidden is.
    model = VAE(VAEConfig(input_dim=train.shape[1:], latent_dim=s.code_size, reconstruction_loss="bce"))
    training = {"num_epochs": s.epochs, "per_device_train_batch_size": s.batch_size, "learning_rate": 1e-3}
    with TemporaryDirectory() as folder:
        config = BaseTrainerConfig(output_dir=folder, seed=s.seed, **training)
        TrainingPipeline(model=model, training_config=config)(train_data=train)
        samples = {}
        for sampler in (NormalSampler, GaussianMixtureSampler, TwoStageVAESampler, MAFSampler):
            drawer = sampler(model)
            if sampler is GaussianMixtureSampler:
                drawer.fit(train_data=train)
            elif sampler is not NormalSampler:
                drawer.fit(train_data=train, training_config=config)
            samples[sampler.__name__] = drawer.sample(n).cpu().numpy()
    return samples
