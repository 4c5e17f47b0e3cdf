"""Handheld: two hands and one camera, from ordinary video into one metric world."""


def register() -> None:
    from . import addon, operators, ui

    addon.register()
    operators.register()
    ui.register()


def unregister() -> None:
    from . import addon, operators, ui

    ui.unregister()
    operators.unregister()
    addon.unregister()
