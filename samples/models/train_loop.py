"""A plain training loop: a small language model, its own loss, AdamW with a warm-up.

mirc compile samples/models/train_loop.py -o train.mir
python samples/models/train_loop.py              # the loop itself
"""

import torch
from torch import nn
from torch.nn import functional

WORDS, WIDTH, DEPTH, HEADS, TOKENS = 32_000, 512, 8, 8, 256


class LanguageModel(nn.Module):
    """An embedding, causal blocks, a head."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(WORDS, WIDTH)
        self.place = nn.Embedding(TOKENS, WIDTH)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                WIDTH, HEADS, 4 * WIDTH, dropout=0.0, batch_first=True, norm_first=True
            )
            for _ in range(DEPTH)
        )
        self.head = nn.Linear(WIDTH, WORDS, bias=False)

    def forward(self, ids):
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.embed(ids) + self.place(places)
        later = torch.full((ids.shape[1], ids.shape[1]), float("-inf"), device=ids.device).triu(1)
        for block in self.blocks:
            x = block(x, src_mask=later)
        return self.head(x)


def loss_of(logits, wanted):
    """Give the mean cross entropy of the next words."""
    return functional.cross_entropy(logits.flatten(0, 1), wanted.flatten())


def optimizer_of(parameters):
    """Give the optimizer that the loop uses."""
    return torch.optim.AdamW(parameters, lr=3e-4, weight_decay=0.1)


def batch_of(seed):
    """Draw a batch of words and the words that follow."""
    drawn = torch.Generator().manual_seed(seed)
    ids = torch.randint(WORDS, (4, TOKENS + 1), generator=drawn)
    return ids[:, :-1], ids[:, 1:]


def mirc_training():
    """Tell mirc what one step of the loop below does."""
    ids, wanted = batch_of(0)
    return {
        "module": LanguageModel().train(),
        "args": (ids,),
        "loss": loss_of,
        "targets": (wanted,),
        "optimizer": optimizer_of,
    }


def main():
    """Train for a while."""
    model = LanguageModel()
    optimizer = optimizer_of(model.parameters())
    warm = torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=20)
    for step in range(100):
        ids, wanted = batch_of(step)
        loss = loss_of(model(ids), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        warm.step()
        print(f"step {step}: loss {loss.item():.3f}")


if __name__ == "__main__":
    main()
