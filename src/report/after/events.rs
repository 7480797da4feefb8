//! The words of the log's timeline in after-action reports.

use super::super::words::Row;

/// The words of the log's timeline.
pub(super) static EVENTS: &[Row] = &[
    ("opened", ["opened", "öppnades", "eröffnet", "aperto", "abierto"]),
    ("reopened", ["back again", "tillbaka", "wieder da", "riaperto", "reabierto"]),
    ("raised", ["raised", "höjdes", "angehoben", "alzato", "elevado"]),
    ("escalated", ["called further", "larmades vidare", "weiter alarmiert", "chiamati altri", "se llamó a más"]),
    ("reminder", ["reminded", "påminnelse", "erinnert", "promemoria", "recordatorio"]),
    (
        "lapsed",
        ["still not over", "fortfarande inte över", "noch nicht vorbei", "non ancora finito", "sigue sin terminar"],
    ),
    ("assigned", ["assigned", "tilldelades", "zugewiesen", "assegnato", "asignado"]),
    ("snoozed", ["put off", "sköts upp", "aufgeschoben", "rimandato", "aplazado"]),
    ("merged", ["made part of another", "slogs ihop", "zusammengelegt", "unito", "unido a otro"]),
    ("joined", ["another joined", "ett annat anslöts", "anderer kam dazu", "un altro si è unito", "se unió otro"]),
    ("split", ["split off", "delades av", "abgetrennt", "separato", "separado"]),
    ("lowered", ["made milder", "sänktes", "herabgestuft", "abbassato", "rebajado"]),
    ("severity", ["severity set", "allvar sattes", "Schwere gesetzt", "gravità fissata", "gravedad fijada"]),
    ("acknowledged", ["taken", "övertogs", "übernommen", "preso in carico", "asumido"]),
    ("resolved", ["over", "över", "vorbei", "concluso", "terminado"]),
    ("muted", ["muted", "dämpades", "stummgeschaltet", "silenziato", "silenciado"]),
    (
        "unmuted",
        ["no longer muted", "inte längre dämpat", "nicht mehr stumm", "non più silenziato", "ya no silenciado"],
    ),
    ("silenced", ["silenced", "tystades", "unterdrückt", "messo a tacere", "acallado"]),
    (
        "unsilenced",
        ["no longer silenced", "inte längre tystat", "nicht mehr unterdrückt", "non più a tacere", "ya no acallado"],
    ),
    (
        "held",
        [
            "message held back",
            "meddelande hölls",
            "Nachricht zurückgehalten",
            "messaggio trattenuto",
            "mensaje retenido",
        ],
    ),
    ("unreachable", ["unreachable", "gick inte att nå", "nicht erreichbar", "irraggiungibile", "no localizable"]),
    ("noted", ["noted", "antecknade", "notiert", "annotato", "anotado"]),
    ("decided", ["decided", "beslutade", "entschieden", "deciso", "decidido"]),
    ("ticked off", ["step done", "steg gjort", "Schritt erledigt", "passo fatto", "paso hecho"]),
    ("took back", ["step open again", "steg öppet igen", "Schritt wieder offen", "passo riaperto", "paso reabierto"]),
    (
        "proposed",
        [
            "draft proposed by a machine",
            "utkast föreslogs av en maskin",
            "Entwurf einer Maschine",
            "bozza proposta da una macchina",
            "borrador de una máquina",
        ],
    ),
    ("drafted", ["drafted", "skrev utkast", "entworfen", "bozza scritta", "redactado"]),
    ("rewritten", ["draft rewritten", "skrev om utkast", "Entwurf geändert", "bozza riscritta", "borrador reescrito"]),
    ("approved", ["approved", "godkände", "freigegeben", "approvato", "aprobado"]),
    ("rejected", ["sent back", "avvisade", "abgelehnt", "respinto", "rechazado"]),
    ("handed over", ["handed over", "lämnade ut", "übergeben", "consegnato", "entregado"]),
    (
        "struck",
        [
            "somebody struck out of a draft",
            "någon ströks ur ett utkast",
            "jemand aus einem Entwurf gestrichen",
            "qualcuno tolto da una bozza",
            "alguien suprimido de un borrador",
        ],
    ),
    (
        "undelivered",
        [
            "draft arrived nowhere",
            "utkast kom inte fram",
            "Entwurf nicht angekommen",
            "bozza non arrivata",
            "borrador no llegado",
        ],
    ),
];
