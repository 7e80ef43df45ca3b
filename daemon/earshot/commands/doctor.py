"""earshot doctor: what is there, what is wrong, and how to mend it.

Exits with 1 if there is TROUBLE: something that earshot needs is missing or damaged. A microphone
is needed where the settings say `source = "mic"`, as they do by default. A daemon that does not run
is only worth a note, for the doctor may also come before it.
"""

import argparse
import json
from dataclasses import asdict, replace

from earshot import compose, config
from earshot.checks import files, machine, service, sound
from earshot.checks.finding import Check, Finding, Patient, tried
from earshot.commands.options import add_settings, add_socket, socket_of


def bundle(patient: Patient) -> Finding:
    """Look at the bundle: readable, and its sums right."""
    mend = "install it again, and look at it with `earshot bundle verify`"
    name = patient.settings.bundle
    return tried("bundle", lambda: compose.load_engine(name).bundle.label, mend)


# In this order: what stands above may be why what stands below is wrong.
CHECKS: tuple[Check, ...] = (
    machine.python,
    machine.libraries,
    machine.c_library,
    machine.processor,
    machine.memory,
    machine.limits,
    machine.priority,
    machine.kernel,
    bundle,
    files.settings,
    files.catalog,
    files.state,
    files.socket_folder,
    service.place,
    service.units,
    service.daemon,
    service.uplink,
    sound.library,
    sound.server,
    sound.devices,
    sound.microphone,
    sound.echo,
)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Options of this command."""
    parser = subparsers.add_parser(
        "doctor",
        help="what is wrong, if so",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_settings(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_socket(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Look at everything; 1 if there is trouble."""
    place, settings = socket_of(options), config.load(options.config)
    if options.bundle:
        settings = replace(settings, bundle=options.bundle)
    patient = Patient(place, settings, *service.ask(place))
    findings = [found for check in CHECKS if (found := check(patient))]
    well = not any(finding.state == "TROUBLE" for finding in findings)
    if options.json:
        told = [{**asdict(finding), "state": finding.state} for finding in findings]
        print(json.dumps({"well": well, "findings": told}, ensure_ascii=False))
    else:
        for finding in findings:
            _print(finding)
    return int(not well)


def _print(finding: Finding) -> None:
    print(f"{finding.state:8} {finding.what}: {finding.found}")
    if finding.mend:
        print(f"{'':8} → {finding.mend}")
