"""tradegap: dated documents about trade talks in, pages of how the gaps evolve out."""
