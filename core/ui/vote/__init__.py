"""The vote page: ballots for the desk, what is done with its answers, and what there is to vote on."""
