# One line a script, sorted: TESTS += and dist_check_SCRIPTS +=.
