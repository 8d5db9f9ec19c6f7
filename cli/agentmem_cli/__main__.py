"""`python -m agentmem_cli` is `agentmem`."""

from agentmem_cli.entry import main

if __name__ == "__main__":
    main()
