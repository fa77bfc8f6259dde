"""Small tensors on one thread: more of them would only wait for one another."""

import torch

torch.set_num_threads(1)
