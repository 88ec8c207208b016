"""Which steps are done and with what, so that a run that was stopped goes on."""
