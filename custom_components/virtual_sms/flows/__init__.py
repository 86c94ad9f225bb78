"""The steps and forms that the config flow and the options are composed of."""
