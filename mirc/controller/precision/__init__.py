"""The precision and the residency of weights as one state machine, with its scorer and its veto."""
