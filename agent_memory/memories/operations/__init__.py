"""What is done with memories of any type, behind the verbs of `AgentMemory`; one file for each kind of act."""
