"""The wiring: settings from the environment, the embedded servers, the command line."""
