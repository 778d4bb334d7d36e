"""What the app's servers need to run on the host, as in an editor, instead of in their containers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pulumi

from infra.services.app import App, AppArgs, environment
from infra.targets.workload import MOUNT


def document(args: AppArgs, app: App, callback_port: int | None) -> pulumi.Output[str] | None:
    """Return a secret JSON document of variables, and of the content of the files that other variables are to name.

    `args` are for this purpose; None where something that the app needs, or the app itself, isn't published.
    """
    database, cache, endpoint = args.database.on_host, args.cache.on_host, app.endpoint
    if not database or not cache or not endpoint.published:
        return None
    # An editor has a debugger of its own.
    settings = args.settings.model_copy(update={"debugger_port": None})
    there = replace(args, settings=settings, database=database, cache=cache)
    variables = {
        "ENVIRONMENT": app.shared.target.naming.name,
        **environment(there, endpoint),
        "LISTEN_ADDRESS": endpoint.reach.bind_address,
        "APP_PORT": str(endpoint.published),
        **({"CALLBACK_PORT": str(callback_port)} if callback_port else {}),
        "INTERNAL_PORT": str(app.internal.port),
        "APP_URL": f"https://localhost:{app.internal.port}",  # for the callback server
    }
    content: Mapping[str, pulumi.Input[str]] = {**app.workload.files, "providers.json": args.providers}
    installed = f"{MOUNT}/"
    files = {name: content[path.removeprefix(installed)] for name, path in variables.items() if installed in path}
    plain = {name: value for name, value in variables.items() if name not in files}
    return pulumi.Output.secret(pulumi.Output.json_dumps({"variables": plain, "files": files}))
