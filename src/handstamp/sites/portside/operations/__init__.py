"""What can be done at portside: read the container list, read one container's timeline, look for appointments, make one.

Needs the extra ``operations``. How operations are declared is in `handstamp.sites.operation`.
"""

from __future__ import annotations

from handstamp.sites.portside.operations.appointments import check_appointments, make_appointment
from handstamp.sites.portside.operations.containers import get_containers
from handstamp.sites.portside.operations.timeline import get_container_timeline

OPERATIONS = (get_containers, get_container_timeline, check_appointments, make_appointment)

__all__ = ["OPERATIONS", "check_appointments", "get_container_timeline", "get_containers", "make_appointment"]
