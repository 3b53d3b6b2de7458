"""`python -m inoc_evals`: the command `inoc`, in the form that accelerate launch takes."""

from inoc_evals.cli.main import main

if __name__ == "__main__":
    main()
