"""Independent restatement of the small AV-MNIST in numpy.

Checks every row of a built set against it and writes the numbers of a few rows to small-av-mnist.json, for the tests.
From the repository root, after the set was built (Python 3.11, numpy 2):

    python packages/datasets/golden/small_av_mnist.py data data/built/av-mnist-small
"""

import csv
import gzip
import io
import json
import pathlib
import sys
import wave
import zipfile

import numpy as np

data, built = map(pathlib.Path, sys.argv[1:3])


def idx(name, skip):
    return np.frombuffer(gzip.open(data / "mnist" / name).read(), np.uint8, offset=skip)


train = idx("train20k-images-idx3-ubyte.gz", 16).reshape(-1, 784)
test = idx("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 784)
labels = {
    "train": idx("train20k-labels-idx1-ubyte.gz", 8)[np.r_[0:1000, 19000:20000]],
    "test": idx("t10k-labels-idx1-ubyte.gz", 8)[:2000],
}
fsdd, esc10 = zipfile.ZipFile(data / "fsdd.zip"), zipfile.ZipFile(data / "esc10.zip")
pairs = json.loads((built / "pairs.json").read_text())


def sound(archive, name):
    file = wave.open(io.BytesIO(archive.read(name + ".wav")))
    assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
    return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def spectrogram(x):
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(128) / 128)
    starts = [round(t * (len(x) - 128) / 55) for t in range(56)]
    power = np.stack([np.abs(np.fft.fft(x[s : s + 128] * hann))[:56] ** 2 for s in starts], 1)
    decibels = 10 * np.log10(power + 1e-10)
    top = decibels.max()
    return np.round((np.clip(decibels, top - 60, top) - (top - 60)) / 60 * 255)


# Pictures: all 784 eigenvectors of the covariance.
fit = train[:2000].astype(float)
variances, vectors = np.linalg.eigh(np.cov(fit.T))
leading = vectors[:, ::-1][:, :8]
images = {
    "train": (train[np.r_[0:1000, 19000:20000]] - fit.mean(0)) @ leading @ leading.T,
    "test": (test[:2000] - fit.mean(0)) @ leading @ leading.T,
}

# Which recordings and clips a part may use.
clips = {}
for row in csv.DictReader(io.StringIO(esc10.read("clips.csv").decode())):
    clips.setdefault((row["split"], row["class_id"]), []).append(row["file"])
allowed = {
    "train": {name for (split, _), names in clips.items() if split == "train" for name in names[:3]},
    "validation": {name for (split, _), names in clips.items() if split == "train" for name in names[3:]},
    "test": {name for (split, _), names in clips.items() if split == "test" for name in names},
}
takes = {"train": range(10, 50), "validation": range(5, 10), "test": range(0, 5)}

golden = {
    "variances": variances[::-1][:8].tolist(),
    "share": float(variances[-8:].sum() / variances.sum()),
    "rows": [],
}
pixels = differing = 0
for file in ["train", "test"]:
    image = np.load(built / "image" / f"{file}_data.npy")
    audio = np.load(built / "audio" / f"{file}_data.npy")
    assert image.shape == (2000, 784) and audio.shape == (2000, 56, 56) and audio.dtype == np.uint8
    assert (np.load(built / f"{file}_labels.npy") == labels[file]).all()
    assert np.abs(image - images[file]).max() < 3e-5
    for row, pair in enumerate(pairs[file]):
        part = "test" if file == "test" else "train" if row < 1000 else "validation"
        digit, _, take = pair["recording"].split("_")
        assert int(digit) == labels[file][row] and int(take) in takes[part] and pair["clip"] in allowed[part]
        speech = sound(fsdd, pair["recording"])
        noise = sound(esc10, pair["clip"])[pair["offset"] :][: len(speech)]
        gain = np.sqrt((speech**2).mean() / (noise**2).mean() / 10**-0.5)
        assert len(noise) == len(speech) and np.sqrt((noise**2).mean()) > 1e-3
        assert abs(gain / pair["gain"] - 1) < 1e-9
        mixed = speech + gain * noise
        picture = spectrogram(mixed)
        error = np.abs(picture - audio[row])
        assert error.max() <= 1
        pixels, differing = pixels + error.size, differing + int((error > 0).sum())
        if (file, row) in [("train", 0), ("train", 1000), ("test", 1999)]:
            golden["rows"].append(
                {
                    "id": f"avmnist/{file}/{row}",
                    "label": int(digit),
                    "pair": {key: pair[key] for key in ["image", "recording", "clip", "offset"]},
                    "gain": float(gain),
                    "length": len(mixed),
                    "everyHundredthSample": mixed[::100][:8].tolist(),
                    "everyHundredthPixel": images[file][row][::100].tolist(),
                    "everySeventhBinAndFrame": picture[::7, ::7].astype(int).tolist(),
                }
            )
print(f"{differing} of {pixels} spectrogram pixels differ, by one level (rounding)")
(pathlib.Path(__file__).parent / "small-av-mnist.json").write_text(json.dumps(golden, indent=1) + "\n")
