"""Where an arm has its tool at given joints."""
