#include "emulator/wire.h"

bool wire_breaks(const struct prank *prank, struct face_answer *out)
{
    if (prank->fault == FAULT_LOST_REQUEST) {
        out->cut = true;
        return true;
    }
    if (prank->fault != FAULT_BAD_GATEWAY)
        return false;
    out->status = 502;
    out->content_type = "text/html";
    text_add(&out->body, "<html><body><h1>502 Bad Gateway</h1><hr></body></html>\n");
    return true;
}

void wire_spoils(const struct prank *prank, struct face_answer *out)
{
    if (prank->fault == FAULT_LOST_ANSWER)
        out->cut = true;
    if (prank->fault == FAULT_DELAY)
        out->delay_ms = prank->delay_ms;
    if (prank->fault == FAULT_GARBLED && out->body.len > 0) {
        out->body.len /= 2;
        out->body.at[out->body.len] = '\0';
    }
}
