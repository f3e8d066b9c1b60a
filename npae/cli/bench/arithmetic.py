"""How much arithmetic a training step has: the multiply-adds of its products, counted from the network's layers.

Counted are the forward pass, dW and dx of dense and convolutional layers, without dx of the first of them, which
training does not need. Zeros count like other numbers, whether or not a kernel skips them: those of the data, those
around an image, and the gradients of values that lost in max pooling. Nearest upsampling with a convolution after it
counts as npae computes it, in four phases for a factor of 2: 4 products for each output value instead of the 9 of a 3×3
window. Activations, losses, noise and the optimizer do not count.
"""

from npae.cli.bench.models import images_for, new_model
from npae.layers import Conv2D, Dense, TiedDense
from npae.layers.fused import UpSampleConvolution
from npae.network.autoencoder import Autoencoder

#: What the table says of the count.
COUNTED = (
    "products of forward, dW and dx, none for the dx of the first layer; zeros count, also where npae skips them; "
    "upsampling with a convolution counts in four phases"
)


def gflop_of_an_epoch(name: str, images: int) -> float:
    """10⁹ floating-point operations of an epoch of a model of ``MODELS``: two for each multiply-add."""
    shape = images_for(name, 1).shape[1:]
    net = new_model(name).make_network(shape, "bce", 1).build(shape)
    return 2e-9 * images * multiply_adds_of_a_step(net)


def multiply_adds_of_a_step(net: Autoencoder) -> int:
    """Multiply-adds of a training step for one sample; the network must be built.

    Examples
    --------
    >>> from npae import recipes
    >>> net = recipes.vanilla((8,), code_size=2).build((8,))
    >>> multiply_adds_of_a_step(net)  # 8·2 twice in the first layer, 2·8 three times in the last
    80
    """
    layers = net.arena.layers.values()  # those within other layers, too, and fused ones beside the plain ones
    folded = {layer.convolution: layer for layer in layers if isinstance(layer, UpSampleConvolution)}
    return sum(
        (3 if layer.needs_dx else 2) * (_in_phases(folded[layer]) if layer in folded else layer.multiply_adds())
        for layer in layers
        if isinstance(layer, (Dense, TiedDense, Conv2D))
    )


def _in_phases(fused: UpSampleConvolution) -> int:
    """Multiply-adds of the forward pass of upsampling and convolution, with the weights of equal values added up."""
    height, width, n_in = fused.plain[0].input_shape
    (kh, kw), (fh, fw) = fused.convolution.kernel_size, fused.factor
    return int(height * width * (kh + fh - 1) * (kw + fw - 1) * n_in * fused.convolution.filters)
