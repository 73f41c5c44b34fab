"""Writes small Keras models with random weights, and Keras' answers.

  python make_keras.py 2     (tensorflow-cpu 2.10.1)          keras/<case>.2.h5, .2.npz
  python make_keras.py 3     (keras 3, jax backend, h5py)     keras/<case>.3.h5, .3.npz
"""
import os, sys
VERSION = sys.argv[1]
os.environ['KERAS_BACKEND'] = 'jax'
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np
if VERSION == '2':
    from tensorflow import keras
else:
    import keras
L = keras.layers
HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(5)


def settle(model):
    for layer in model.layers:
        if hasattr(layer, 'layers'):
            settle(layer)
            continue
        values = []
        for w, old in zip(layer.weights, layer.get_weights()):
            name = w.name if VERSION == '2' else w.path
            if 'variance' in name:
                values.append(rng.uniform(0.2, 1.2, old.shape).astype('float32'))
            elif 'kernel' in name:
                values.append((rng.normal(size=old.shape) * (2 / max(1, np.prod(old.shape[:-1]))) ** 0.5).astype('float32'))
            elif 'count' in name:
                values.append(old)
            else:
                values.append((rng.normal(size=old.shape) * 0.3 + (0.6 if 'gamma' in name else 0)).astype('float32'))
        layer.set_weights(values)


def sequential():
    return keras.Sequential([
        keras.Input((9, 8, 2)),
        L.ZeroPadding2D(((0, 1), (2, 1))),
        L.Conv2D(4, 3, strides=2, padding='same', activation='relu'),
        L.BatchNormalization(),
        L.MaxPooling2D(2, padding='same'),
        L.SeparableConv2D(6, 3, depth_multiplier=2, padding='same', activation='relu'),
        L.Dropout(0.5),
        L.AveragePooling2D(2, strides=1, padding='same'),
        L.Flatten(),
        L.Dense(5, activation='softmax'),
    ])


def functional():
    x = i = keras.Input((8, 8, 3))
    x = L.Conv2D(4, (3, 2), strides=2, padding='same', use_bias=False)(x)
    x = L.BatchNormalization(scale=False)(x)
    x = L.ReLU(max_value=6)(x)
    y = L.DepthwiseConv2D(3, padding='same')(x)
    y = L.LeakyReLU()(y)
    y = L.Conv2D(4, 1, groups=2)(y)
    x = L.Add()([x, y])
    x = L.Concatenate()([x, L.PReLU(shared_axes=[1, 2])(y)])
    x = L.Activation('relu')(x)
    g = L.GlobalAveragePooling2D()(x)
    m = L.GlobalMaxPooling2D()(x)
    x = L.Concatenate()([g, m])
    inner = keras.Sequential([keras.Input((16,)), L.Dense(6, activation='relu'), L.Dense(6)])
    shared = L.Dense(6)
    x = inner(x)
    x = L.Subtract()([shared(x), shared(L.ReLU()(x))])
    return keras.Model(i, L.Dense(3)(x))


def sequence():
    return keras.Sequential([
        keras.Input((20, 3)),
        L.Rescaling(0.5, offset=0.1),
        L.Conv1D(4, 5, strides=2, padding='same', activation='relu'),
        L.Conv1D(4, 3, dilation_rate=2, padding='causal', activation='relu'),
        L.MaxPooling1D(2),
        L.SeparableConv1D(4, 3, padding='same'),
        L.ReLU(),
        L.Dense(4, activation='relu'),
        L.Reshape((2, 10)),
        L.Permute((2, 1)),
        L.Cropping1D((1, 2)),
        L.Flatten(),
        L.Dense(2, activation='sigmoid'),
    ])


for make in (sequential, functional, sequence):
    model = make()
    settle(model)
    x = rng.normal(size=(6,) + tuple(model.input_shape[1:])).astype('float32')
    y = np.asarray(model.predict(x, verbose=0))
    path = f'{HERE}/keras/{make.__name__}.{VERSION}'
    model.save(path + '.h5')
    np.savez_compressed(path + '.npz', x=x, logits=y)
    print(path, y.shape, os.path.getsize(path + '.h5'))
