"""Hand finished documents over: files now, mail later."""
