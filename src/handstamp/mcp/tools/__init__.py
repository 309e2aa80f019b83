"""The tools that there are for every site; those of sites' operations are made in `handstamp.mcp.tools.operations`."""

from handstamp.mcp.tools import acting, files, logging_in, looking, sessions

TOOLS = (
    sessions.list_sites,
    sessions.list_sessions,
    sessions.check_session,
    sessions.history,
    logging_in.start_login,
    logging_in.login_status,
    logging_in.pending_challenges,
    logging_in.show_challenge,
    looking.open_page,
    looking.navigate,
    looking.read_page,
    looking.screenshot,
    looking.close_page,
    acting.click,
    acting.fill,
    files.read_file,
)

__all__ = ["TOOLS"]
