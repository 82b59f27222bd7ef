"""From text to names, modules and the losses in them, without importing anything."""
