/* Notes of switches and wakes: what weft/watch/notes.py does, in C.
 *
 * Both are of one interface and one behaviour (tests/watch/test_notes.py runs on both). Nothing here calls
 * the program's code, but an allocation may start a garbage collection and that a finalizer, which switches
 * threads. So whatever can allocate comes first, and a row is then written in one go.
 *
 * The interpreter's lock guards it: a build without that lock has the Python version.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#ifdef Py_GIL_DISABLED
#error "the interpreter's lock guards this module"
#endif

/* Where the layout of the interpreter's own frames is known, they are walked as they lie; elsewhere by the objects
 * that the interpreter makes of them for whoever asks, which is half of what a note of a park costs. */
#if PY_VERSION_HEX < 0x030E0000 && defined(__has_include) && !defined(WEFT_NO_FRAMES)
#if __has_include(<internal/pycore_frame.h>)
#define FRAMES_KNOWN
#define Py_BUILD_CORE 1
#include <internal/pycore_frame.h>
#undef Py_BUILD_CORE
#endif
#endif

#define REVISION 2 /* notes.py has the same; raise both when what one expects of the other changes */

static PyObject *str_self, *str_block, *str_on, *str_alarm, *str_gr_frame, *str_carrier, *str_now, *str_frame,
    *str_args, *str_noted;

static int64_t
now_ns(void)
{ /* The clock of `time.monotonic_ns`. */
#if PY_VERSION_HEX >= 0x030D0000
    PyTime_t now;
    (void)PyTime_MonotonicRaw(&now);
    return (int64_t)now;
#else
    return (int64_t)_PyTime_GetMonotonicClock();
#endif
}

/* An attribute; NULL without an exception if there is none, *failed set if it went wrong otherwise. */
static PyObject *
attribute(PyObject *of, PyObject *name, int *failed)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *found;
    if (PyObject_GetOptionalAttr(of, name, &found) < 0)
        *failed = 1;
    return found;
#else
    PyObject *found;
    if (_PyObject_LookupAttr(of, name, &found) < 0)
        *failed = 1;
    return found;
#endif
}

/* -- slots ----------------------------------------------------------------------------------------------- */

/* Where the first type with a slot of a name that is met keeps it: control blocks and stacks have slots, and to
 * ask for an attribute costs several times what reading one does. */
typedef struct {
    PyTypeObject *type;
    Py_ssize_t offset;
    const void *without; /* the type that was asked last, and has none */
} Slot;

static Slot slot_block, slot_on, slot_alarm, slot_carrier, slot_noted;

static void
learn(Slot *slot, PyTypeObject *type, PyObject *name)
{
    PyObject *found = type == slot->without ? NULL : PyObject_GetAttr((PyObject *)type, name);
    slot->without = type;
    if (found == NULL) {
        PyErr_Clear();
        return;
    }
    if (Py_IS_TYPE(found, &PyMemberDescr_Type)) {
        PyMemberDef *member = ((PyMemberDescrObject *)found)->d_member;
        if (member->type == T_OBJECT_EX) {
            slot->offset = member->offset;
            slot->type = (PyTypeObject *)Py_NewRef((PyObject *)type);
        }
    }
    Py_DECREF(found);
}

/* The same as PyObject_GetAttr. */
static PyObject *
field(PyObject *of, PyObject *name, Slot *slot)
{
    if (slot->type == NULL)
        learn(slot, Py_TYPE(of), name);
    if (Py_IS_TYPE(of, slot->type)) {
        PyObject *value = *(PyObject **)((char *)of + slot->offset);
        if (value != NULL)
            return Py_NewRef(value);
    }
    return PyObject_GetAttr(of, name);
}

/* The same as `attribute`. */
static PyObject *
field_if_any(PyObject *of, PyObject *name, Slot *slot, int *failed)
{
    if (slot->type != NULL && Py_IS_TYPE(of, slot->type)) {
        PyObject *value = *(PyObject **)((char *)of + slot->offset);
        if (value != NULL)
            return Py_NewRef(value);
    }
    return attribute(of, name, failed);
}

/* -- rows ------------------------------------------------------------------------------------------------ */

typedef struct {
    int64_t when;
    PyObject *who;
} Turn;

typedef struct {
    int64_t when;
    PyObject *who, *on, *by; /* by: None for nobody */
    uint32_t spot, by_spot, alarm;
} Wake;

/* Rows that are written at one end and taken off at the other. */
typedef struct {
    char *rows;
    Py_ssize_t size, first, end, room; /* size of a row; the others count rows */
} Rows;

/* Room for one more, uninitialised: fill it before anything else happens. NULL with an exception set. */
static void *
next_row(Rows *rows)
{
    if (rows->end == rows->room && rows->first > rows->room / 2) {
        /* Most have been taken off: there is room in front. */
        rows->end -= rows->first;
        memmove(rows->rows, rows->rows + rows->first * rows->size, rows->end * rows->size);
        rows->first = 0;
    }
    if (rows->end == rows->room) {
        Py_ssize_t room = rows->room ? rows->room * 2 : 256;
        char *bigger = PyMem_Realloc(rows->rows, room * rows->size);
        if (bigger == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        rows->rows = bigger;
        rows->room = room;
    }
    return rows->rows + rows->end++ * rows->size;
}

/* The oldest `count` rows are off. */
static void
taken(Rows *rows, Py_ssize_t count)
{
    rows->first += count;
    if (rows->first == rows->end)
        rows->first = rows->end = 0;
}

/* -- spots ----------------------------------------------------------------------------------------------- */

typedef struct {
    PyObject *code;
    int offset;
    uint32_t number;
} Place;

/* A spot as a thread that waits there holds it, in its control block. */
typedef struct {
    PyObject_HEAD
    uint64_t notes; /* whose number it is: two recordings may be on, and one may follow another */
    uint32_t number;
} Mark;

static PyTypeObject *mark_type;
static uint64_t last_serial;

#define FILES 64 /* a power of two */

typedef struct {
    PyObject *file;
    long is;
} File;

typedef struct {
    PyObject_HEAD
    PyObject *getcurrent, *whose, *ask_whose, *spots;
    PyObject *marks; /* one for each of the spots */
    uint64_t serial;
    File files[FILES]; /* what `whose` says of those that were asked for last */
    Place *places; /* a hash table, open addressing; its codes are kept alive by `spots` */
    Py_ssize_t places_room, places_used;
    Rows wakes;
} Notes;

static Place *
place_in(Place *places, Py_ssize_t room, PyObject *code, int offset)
{
    size_t mask = (size_t)room - 1;
    size_t at = (((size_t)code >> 4) * 31 + (size_t)offset * 2654435761u) & mask;
    while (places[at].code != NULL && (places[at].code != code || places[at].offset != offset))
        at = (at + 1) & mask;
    return &places[at];
}

static PyObject *
new_mark(Notes *self)
{
    Mark *mark = (Mark *)mark_type->tp_alloc(mark_type, 0);
    if (mark != NULL)
        mark->notes = self->serial;
    return (PyObject *)mark;
}

static void
mark_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot mark_slots[] = {
    {Py_tp_dealloc, mark_dealloc},
    {0, NULL},
};

static PyType_Spec mark_spec = {
    .name = "weft.watch._notes.Mark",
    .basicsize = sizeof(Mark),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = mark_slots,
};

/* The number of a code and an offset in it, from 1 on; 0 with an exception set. */
static uint32_t
number_of(Notes *self, PyObject *code, int offset)
{
    Place *place = place_in(self->places, self->places_room, code, offset);
    if (place->code != NULL)
        return place->number;
    PyObject *spot = Py_BuildValue("(Oi)", code, offset), *mark = new_mark(self);
    int bad = spot == NULL || mark == NULL;
    if (!bad) {
        ((Mark *)mark)->number = (uint32_t)PyList_GET_SIZE(self->spots);
        bad = PyList_Append(self->spots, spot) < 0 || PyList_Append(self->marks, mark) < 0;
    }
    Py_XDECREF(spot);
    Py_XDECREF(mark);
    if (bad)
        return 0;
    if (++self->places_used * 2 > self->places_room) {
        Py_ssize_t room = self->places_room * 2;
        Place *bigger = PyMem_Calloc(room, sizeof(Place));
        if (bigger == NULL) {
            PyErr_NoMemory();
            return 0;
        }
        for (Py_ssize_t at = 0; at < self->places_room; at++) {
            Place *old = &self->places[at];
            if (old->code != NULL)
                *place_in(bigger, room, old->code, old->offset) = *old;
        }
        PyMem_Free(self->places);
        self->places = bigger;
        self->places_room = room;
    }
    /* A collection may have had somebody else write here meanwhile: look once more. */
    place = place_in(self->places, self->places_room, code, offset);
    if (place->code == NULL) {
        place->code = code;
        place->offset = offset;
        place->number = (uint32_t)PyList_GET_SIZE(self->spots) - 1;
    }
    return place->number;
}

/* Whose a file is: 0 the program's, 1 a library's, 2 weft's; -1 with an exception set. */
static long
whose_is(Notes *self, PyObject *file)
{
    File *last = &self->files[((size_t)file >> 5) % FILES];
    if (last->file == file)
        return last->is;
    PyObject *whose = Py_XNewRef(PyDict_GetItemWithError(self->whose, file));
    if (whose == NULL) {
        whose = PyErr_Occurred() ? NULL : PyObject_CallOneArg(self->ask_whose, file);
        if (whose == NULL || PyDict_SetItem(self->whose, file, whose) < 0) {
            Py_XDECREF(whose);
            return -1;
        }
    }
    long is = PyLong_AsLong(whose);
    Py_DECREF(whose);
    if (is >= 0) {
        Py_XSETREF(last->file, Py_NewRef(file));
        last->is = is;
    }
    return is;
}

/* A step of the walk to a spot: true once there is no need to look further out, or with an exception set. */
static int
spot_is(Notes *self, PyCodeObject *code, int offset, PyObject **found, int *found_at)
{
    long is = whose_is(self, code->co_filename);
    if (is == 0 || (is == 1 && *found == NULL)) {
        Py_XSETREF(*found, Py_NewRef((PyObject *)code));
        *found_at = offset;
    }
    return is <= 0;
}

/* The number of what the walk has found. Takes the reference. */
static int
number_found(Notes *self, PyObject *found, int offset, uint32_t *number)
{
    int bad = PyErr_Occurred() != NULL;
    *number = 0;
    if (found != NULL && !bad)
        bad = (*number = number_of(self, found, offset)) == 0;
    Py_XDECREF(found);
    return bad ? -1 : 0;
}

/* What `weft.core.places.spot_of` finds, as a number; 0 for nowhere. Takes the reference to the frame. */
static int
spot_of(Notes *self, PyFrameObject *frame, uint32_t *number)
{
    PyObject *found = NULL;
    int offset = 0, enough = 0;
    while (frame != NULL && !enough) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        enough = spot_is(self, code, PyFrame_GetLasti(frame), &found, &offset);
        Py_DECREF(code);
        PyFrameObject *back = enough ? NULL : PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = back;
    }
    return number_found(self, found, offset, number);
}

/* The same of the caller. */
static int
spot_here(Notes *self, uint32_t *number)
{
#ifdef FRAMES_KNOWN
    PyThreadState *state = PyThreadState_Get();
#if PY_VERSION_HEX >= 0x030D0000
    _PyInterpreterFrame *frame = state->current_frame;
#else
    _PyInterpreterFrame *frame = state->cframe->current_frame;
#endif
    PyObject *found = NULL;
    int offset = 0, enough = 0;
    for (; frame != NULL && !enough; frame = frame->previous) {
        if (_PyFrame_IsIncomplete(frame))
            continue; /* it stands for a call from C, or has not begun */
#if PY_VERSION_HEX >= 0x030D0000
        PyCodeObject *code = _PyFrame_GetCode(frame);
#else
        PyCodeObject *code = frame->f_code;
#endif
        int at = _PyInterpreterFrame_LASTI(frame);
        enough = spot_is(self, code, at < 0 ? -1 : at * (int)sizeof(_Py_CODEUNIT), &found, &offset);
    }
    return number_found(self, found, offset, number);
#else
    return spot_of(self, (PyFrameObject *)Py_XNewRef((PyObject *)PyEval_GetFrame()), number);
#endif
}

/* -- a tape ---------------------------------------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    Notes *notes;
    PyObject *carrier, *take, *add;
    PyObject *running; /* whose turn it is, as far as is known; or NULL */
    int told;          /* whether it is known where that one waits */
    Rows turns;
} Tape;

static int
note_turn(Tape *self, PyObject *who)
{
    int64_t when = now_ns();
    Turn *row = next_row(&self->turns);
    if (row == NULL)
        return -1;
    row->when = when;
    row->who = Py_NewRef(who);
    return 0;
}

/* What a resume callable belongs to: the stack that it switches to; NULL if it has none. A new reference. */
static PyObject *
stack_of(PyObject *resume, int *failed)
{
    if (PyCFunction_CheckExact(resume) || PyCMethod_CheckExact(resume))
        return Py_XNewRef(PyCFunction_GET_SELF(resume));
    return attribute(resume, str_self, failed);
}

/* Whose turn it was asks for the next: if it waits, note where. Its frames are at hand now; those of a stack
 * that is left behind are costly to come by. */
static int
note_park(Tape *self)
{
    PyObject *on = field(self->running, str_on, &slot_on);
    if (on == NULL)
        return -1;
    int waits = on != Py_None;
    Py_DECREF(on);
    if (!waits)
        return 0;
    uint32_t spot;
    self->told = 1;
    if (spot_here(self->notes, &spot) < 0)
        return -1;
    PyObject *mark = PyList_GET_ITEM(self->notes->marks, spot);
    if (slot_noted.type == NULL)
        learn(&slot_noted, Py_TYPE(self->running), str_noted);
    if (!Py_IS_TYPE(self->running, slot_noted.type))
        return PyObject_SetAttr(self->running, str_noted, mark);
    PyObject **held = (PyObject **)((char *)self->running + slot_noted.offset);
    Py_XSETREF(*held, Py_NewRef(mark));
    return 0;
}

static PyObject *
tape_pick(Tape *self, PyObject *Py_UNUSED(ignored))
{
    if (self->running != NULL && !self->told && note_park(self) < 0)
        PyErr_Clear();
    PyObject *resume = PyObject_CallNoArgs(self->take);
    if (resume == NULL) {
        if (PyErr_ExceptionMatches(PyExc_IndexError)) {
            PyObject *kind, *value, *trace;
            PyErr_Fetch(&kind, &value, &trace);
            if (note_turn(self, Py_None) < 0)
                PyErr_Clear();
            PyErr_Restore(kind, value, trace);
        }
        return NULL;
    }
    int failed = 0;
    PyObject *block = NULL, *stack = stack_of(resume, &failed);
    if (stack != NULL) {
        block = field_if_any(stack, str_block, &slot_block, &failed);
        Py_DECREF(stack);
    }
    if (block == NULL && !failed) { /* of one that has not begun: the thread that a callable begins, if it says */
        PyObject *args = attribute(resume, str_args, &failed);
        if (args != NULL && PyTuple_Check(args) && PyTuple_GET_SIZE(args) > 0)
            block = Py_NewRef(PyTuple_GET_ITEM(args, 0));
        Py_XDECREF(args);
    }
    if (failed || note_turn(self, block != NULL ? block : Py_None) < 0)
        PyErr_Clear(); /* a note that is lost loses nobody his turn */
    Py_XSETREF(self->running, block);
    self->told = 0;
    return resume;
}

/* The frame in which a thread waits: a new reference, or NULL. */
static PyFrameObject *
frame_of(Tape *self, PyObject *stack, PyObject *block, PyObject *here, int *failed)
{
    PyObject *frame = attribute(stack, str_gr_frame, failed);
    if (frame != NULL && PyFrame_Check(frame))
        return (PyFrameObject *)frame;
    Py_XDECREF(frame);
    if (*failed)
        return NULL;
    /* It sees to timers and descriptors on its own stack meanwhile. */
    if (here == stack)
        return (PyFrameObject *)Py_XNewRef((PyObject *)PyEval_GetFrame());
    frame = PyObject_CallMethodOneArg(self->carrier, str_frame, block);
    if (frame == NULL)
        *failed = 1;
    else if (!PyFrame_Check(frame))
        Py_CLEAR(frame);
    return (PyFrameObject *)frame;
}

/* When the carrier looked at the clock last. */
static int
looked_at(PyObject *carrier, int64_t *when)
{
    PyObject *now = PyObject_GetAttr(carrier, str_now);
    if (now == NULL)
        return -1;
    double seconds = PyFloat_AsDouble(now);
    Py_DECREF(now);
    if (seconds == -1.0 && PyErr_Occurred())
        return -1;
    *when = (int64_t)(seconds * 1e9);
    return 0;
}

static int
note_wake(Tape *self, PyObject *stack)
{
    Notes *notes = self->notes;
    int failed = 0, bad = -1;
    PyObject *on = NULL, *alarm = NULL, *by = NULL, *waits = NULL, *mark = NULL;
    PyObject *block = field(stack, str_block, &slot_block);
    PyObject *here = PyObject_CallNoArgs(notes->getcurrent);
    if (block == NULL || here == NULL)
        goto done;
    on = field(block, str_on, &slot_on);
    alarm = field(block, str_alarm, &slot_alarm);
    by = field_if_any(here, str_block, &slot_block, &failed);
    if (on == NULL || alarm == NULL || failed)
        goto done;
    uint32_t spot = 0, by_spot = 0;
    PyFrameObject *frame;
    mark = field_if_any(block, str_noted, &slot_noted, &failed);
    if (failed)
        goto done;
    if (mark != NULL && Py_IS_TYPE(mark, mark_type) && ((Mark *)mark)->notes == notes->serial) {
        spot = ((Mark *)mark)->number;
    } else { /* it has waited since before notes were taken */
        frame = frame_of(self, stack, block, here, &failed);
        if (failed || spot_of(notes, frame, &spot) < 0)
            goto done;
    }
    int64_t when = 0;
    if (by == block)
        Py_CLEAR(by);
    if (by != NULL && by != Py_None) {
        waits = field(by, str_on, &slot_on);
        if (waits == NULL)
            goto done;
        if (waits != Py_None) { /* it waits itself, and has looked at the clock just now */
            PyObject *carrier = field(by, str_carrier, &slot_carrier);
            if (carrier == NULL)
                goto done;
            int mine = carrier == self->carrier;
            Py_DECREF(carrier);
            if (mine && looked_at(self->carrier, &when) < 0)
                goto done;
            Py_CLEAR(by);
        } else {
            if (spot_here(notes, &by_spot) < 0)
                goto done;
        }
    }
    uint32_t bits = (uint32_t)PyLong_AsUnsignedLongMask(alarm);
    if (when == 0)
        when = now_ns();
    Wake *row = next_row(&notes->wakes);
    if (row == NULL)
        goto done;
    *row = (Wake){when, Py_NewRef(block), Py_NewRef(on), Py_NewRef(by != NULL ? by : Py_None), spot, by_spot, bits};
    bad = 0;
done:
    Py_XDECREF(block);
    Py_XDECREF(here);
    Py_XDECREF(on);
    Py_XDECREF(alarm);
    Py_XDECREF(by);
    Py_XDECREF(waits);
    Py_XDECREF(mark);
    return bad;
}

static PyObject *
tape_push(Tape *self, PyObject *resume)
{
    int failed = 0;
    PyObject *stack = stack_of(resume, &failed);
    if (stack != NULL) { /* of one that has not begun there is none */
        failed = note_wake(self, stack) < 0;
        Py_DECREF(stack);
    }
    if (failed)
        PyErr_Clear();
    return PyObject_CallOneArg(self->add, resume);
}

static PyObject *
tape_swap(Tape *self, PyObject *Py_UNUSED(ignored))
{
    Py_ssize_t count = self->turns.end - self->turns.first;
    PyObject *who = PyList_New(count), *when = PyBytes_FromStringAndSize(NULL, count * 8);
    if (who == NULL || when == NULL) {
        Py_XDECREF(who);
        Py_XDECREF(when);
        return NULL;
    }
    int64_t *times = (int64_t *)PyBytes_AS_STRING(when);
    Turn *rows = (Turn *)self->turns.rows + self->turns.first;
    for (Py_ssize_t at = 0; at < count; at++) {
        times[at] = rows[at].when;
        PyList_SET_ITEM(who, at, rows[at].who);
    }
    taken(&self->turns, count);
    return Py_BuildValue("(NN)", who, when);
}

static int
tape_traverse(Tape *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->notes);
    Py_VISIT(self->carrier);
    Py_VISIT(self->take);
    Py_VISIT(self->add);
    Py_VISIT(self->running);
    for (Py_ssize_t at = self->turns.first; at < self->turns.end; at++)
        Py_VISIT(((Turn *)self->turns.rows)[at].who);
    return 0;
}

static int
tape_clear(Tape *self)
{
    Py_CLEAR(self->notes);
    Py_CLEAR(self->carrier);
    Py_CLEAR(self->take);
    Py_CLEAR(self->add);
    Py_CLEAR(self->running);
    while (self->turns.first < self->turns.end)
        Py_CLEAR(((Turn *)self->turns.rows)[self->turns.first++].who);
    return 0;
}

static void
tape_dealloc(Tape *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    tape_clear(self);
    PyMem_Free(self->turns.rows);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef tape_methods[] = {
    {"pick", (PyCFunction)tape_pick, METH_NOARGS, "Take the next off the queue, and note whose turn it is."},
    {"push", (PyCFunction)tape_push, METH_O, "Note who is woken, and by whom, and put it into the queue."},
    {"swap", (PyCFunction)tape_swap, METH_NOARGS, "What was noted since the last time: threads, and times as bytes."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot tape_slots[] = {
    {Py_tp_methods, tape_methods},
    {Py_tp_traverse, tape_traverse},
    {Py_tp_clear, tape_clear},
    {Py_tp_dealloc, tape_dealloc},
    {0, NULL},
};

static PyType_Spec tape_spec = {
    .name = "weft.watch._notes.Tape",
    .basicsize = sizeof(Tape),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = tape_slots,
};

static PyTypeObject *tape_type;

/* -- notes ----------------------------------------------------------------------------------------------- */

static PyObject *
notes_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    PyObject *getcurrent, *ask_whose;
    if (!PyArg_ParseTuple(args, "OO:Notes", &getcurrent, &ask_whose))
        return NULL;
    Notes *self = (Notes *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->wakes.size = sizeof(Wake);
    self->getcurrent = Py_NewRef(getcurrent);
    self->ask_whose = Py_NewRef(ask_whose);
    self->whose = PyDict_New();
    self->serial = ++last_serial;
    self->spots = Py_BuildValue("[O]", Py_None);
    self->marks = Py_BuildValue("[N]", new_mark(self)); /* of nowhere, which has the number 0 */
    self->places_room = 1024;
    self->places = PyMem_Calloc(self->places_room, sizeof(Place));
    if (self->whose == NULL || self->spots == NULL || self->marks == NULL || self->places == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static PyObject *
notes_tape(Notes *self, PyObject *args)
{
    PyObject *carrier, *take, *add;
    if (!PyArg_ParseTuple(args, "OOO:tape", &carrier, &take, &add))
        return NULL;
    Tape *tape = (Tape *)tape_type->tp_alloc(tape_type, 0);
    if (tape == NULL)
        return NULL;
    tape->turns.size = sizeof(Turn);
    tape->notes = (Notes *)Py_NewRef((PyObject *)self);
    tape->carrier = Py_NewRef(carrier);
    tape->take = Py_NewRef(take);
    tape->add = Py_NewRef(add);
    return (PyObject *)tape;
}

static int
spot_number(Notes *self, PyObject *spot, uint32_t *number)
{
    *number = 0;
    if (spot == Py_None)
        return 0;
    PyObject *code;
    int offset;
    if (!PyArg_ParseTuple(spot, "O!i", &PyCode_Type, &code, &offset))
        return -1;
    *number = number_of(self, code, offset);
    return *number == 0 ? -1 : 0;
}

static PyObject *
notes_wake(Notes *self, PyObject *args)
{
    long long when;
    PyObject *who, *on, *spot, *by, *by_spot;
    unsigned int alarm;
    if (!PyArg_ParseTuple(args, "LOOOIOO:wake", &when, &who, &on, &spot, &alarm, &by, &by_spot))
        return NULL;
    uint32_t place, by_place;
    if (spot_number(self, spot, &place) < 0 || spot_number(self, by_spot, &by_place) < 0)
        return NULL;
    Wake *row = next_row(&self->wakes);
    if (row == NULL)
        return NULL;
    *row = (Wake){when, Py_NewRef(who), Py_NewRef(on), Py_NewRef(by), place, by_place, alarm};
    Py_RETURN_NONE;
}

static PyObject *
notes_waiting(Notes *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSsize_t(self->wakes.end - self->wakes.first);
}

static PyObject *
notes_wakes(Notes *self, PyObject *arg)
{
    Py_ssize_t count = PyLong_AsSsize_t(arg);
    if (count == -1 && PyErr_Occurred())
        return NULL;
    if (count > self->wakes.end - self->wakes.first)
        count = self->wakes.end - self->wakes.first;
    PyObject *when = PyBytes_FromStringAndSize(NULL, count * 8), *spots = PyBytes_FromStringAndSize(NULL, count * 4),
             *by_spots = PyBytes_FromStringAndSize(NULL, count * 4), *alarms = PyBytes_FromStringAndSize(NULL, count * 4),
             *who = PyList_New(count), *on = PyList_New(count), *by = PyList_New(count);
    if (!when || !spots || !by_spots || !alarms || !who || !on || !by) {
        Py_XDECREF(when);
        Py_XDECREF(spots);
        Py_XDECREF(by_spots);
        Py_XDECREF(alarms);
        Py_XDECREF(who);
        Py_XDECREF(on);
        Py_XDECREF(by);
        return NULL;
    }
    Wake *rows = (Wake *)self->wakes.rows + self->wakes.first;
    for (Py_ssize_t at = 0; at < count; at++) {
        ((int64_t *)PyBytes_AS_STRING(when))[at] = rows[at].when;
        ((uint32_t *)PyBytes_AS_STRING(spots))[at] = rows[at].spot;
        ((uint32_t *)PyBytes_AS_STRING(by_spots))[at] = rows[at].by_spot;
        ((uint32_t *)PyBytes_AS_STRING(alarms))[at] = rows[at].alarm;
        PyList_SET_ITEM(who, at, rows[at].who);
        PyList_SET_ITEM(on, at, rows[at].on);
        PyList_SET_ITEM(by, at, rows[at].by);
    }
    taken(&self->wakes, count);
    return Py_BuildValue("(NNNNNNN)", when, who, on, spots, by, by_spots, alarms);
}

/* -- numbers for columns ----------------------------------------------------------------------------------- */

/* The number of a thing in a dictionary, which may ask somebody (`__missing__`); -1 with an exception set. */
static int64_t
number_in(PyObject *known, PyObject *key)
{
    PyObject *number = Py_XNewRef(PyDict_GetItemWithError(known, key));
    if (number == NULL && !PyErr_Occurred())
        number = PyObject_GetItem(known, key);
    if (number == NULL)
        return -1;
    unsigned long value = PyLong_AsUnsignedLong(number);
    Py_DECREF(number);
    return value == (unsigned long)-1 && PyErr_Occurred() ? -1 : (int64_t)(uint32_t)value;
}

#define RECENT 1024 /* a power of two */

static PyObject *
numbers_of(PyObject *args, int by_identity)
{
    PyObject *known, *things;
    if (!PyArg_ParseTuple(args, "O!O", &PyDict_Type, &known, &things))
        return NULL;
    PyObject *list = PySequence_Fast(things, "a sequence of things is wanted");
    if (list == NULL)
        return NULL;
    Py_ssize_t count = PySequence_Fast_GET_SIZE(list);
    PyObject *made = PyBytes_FromStringAndSize(NULL, count * 4);
    /* Few things come many times: those that were looked up are not looked up again, for as long as this lasts. */
    struct {
        PyObject *thing;
        uint32_t number;
    } recent[RECENT] = {{NULL, 0}};
    for (Py_ssize_t at = 0; made != NULL && at < count && at < PySequence_Fast_GET_SIZE(list); at++) {
        PyObject *thing = PySequence_Fast_GET_ITEM(list, at);
        size_t slot = (((size_t)thing >> 4) ^ ((size_t)thing >> 14)) % RECENT;
        if (recent[slot].thing != thing) {
            PyObject *key = by_identity ? PyLong_FromVoidPtr(thing) : Py_NewRef(thing);
            int64_t number = key != NULL ? number_in(known, key) : -1;
            Py_XDECREF(key);
            if (number < 0) {
                Py_CLEAR(made);
                break;
            }
            recent[slot].thing = thing;
            recent[slot].number = (uint32_t)number;
        }
        ((uint32_t *)PyBytes_AS_STRING(made))[at] = recent[slot].number;
    }
    Py_DECREF(list);
    return made;
}

static PyObject *
notes_numbers(PyObject *Py_UNUSED(self), PyObject *args)
{
    return numbers_of(args, 0);
}

static PyObject *
notes_identities(PyObject *Py_UNUSED(self), PyObject *args)
{
    return numbers_of(args, 1);
}

static PyObject *
notes_looked_up(PyObject *Py_UNUSED(self), PyObject *args)
{
    PyObject *known, *made = NULL;
    Py_buffer places;
    if (!PyArg_ParseTuple(args, "O!y*", &PyList_Type, &known, &places))
        return NULL;
    Py_ssize_t count = places.len / 4;
    made = PyBytes_FromStringAndSize(NULL, count * 4);
    for (Py_ssize_t n = 0; made != NULL && n < count; n++) {
        uint32_t at = ((uint32_t *)places.buf)[n];
        if ((Py_ssize_t)at >= PyList_GET_SIZE(known)) {
            PyErr_SetString(PyExc_IndexError, "list index out of range");
            Py_CLEAR(made);
            break;
        }
        ((uint32_t *)PyBytes_AS_STRING(made))[n] = (uint32_t)PyLong_AsUnsignedLongMask(PyList_GET_ITEM(known, at));
    }
    PyBuffer_Release(&places);
    return made;
}

static PyObject *
notes_spots(Notes *self, void *Py_UNUSED(closure))
{
    return Py_NewRef(self->spots);
}

static int
notes_traverse(Notes *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->getcurrent);
    Py_VISIT(self->ask_whose);
    Py_VISIT(self->whose);
    Py_VISIT(self->spots);
    for (Py_ssize_t at = self->wakes.first; at < self->wakes.end; at++) {
        Wake *row = (Wake *)self->wakes.rows + at;
        Py_VISIT(row->who);
        Py_VISIT(row->on);
        Py_VISIT(row->by);
    }
    return 0;
}

static int
notes_clear(Notes *self)
{
    Py_CLEAR(self->getcurrent);
    Py_CLEAR(self->ask_whose);
    Py_CLEAR(self->whose);
    while (self->wakes.first < self->wakes.end) {
        Wake row = ((Wake *)self->wakes.rows)[self->wakes.first++];
        Py_DECREF(row.who);
        Py_DECREF(row.on);
        Py_DECREF(row.by);
    }
    return 0;
}

static void
notes_dealloc(Notes *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    notes_clear(self);
    Py_CLEAR(self->spots);
    Py_CLEAR(self->marks);
    for (int at = 0; at < FILES; at++)
        Py_CLEAR(self->files[at].file);
    PyMem_Free(self->wakes.rows);
    PyMem_Free(self->places);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef notes_methods[] = {
    {"tape", (PyCFunction)notes_tape, METH_VARARGS, "The tape of a carrier, with its `push` and `pick`."},
    {"wake", (PyCFunction)notes_wake, METH_VARARGS, "Note a wake on a carrier that has no tape."},
    {"waiting", (PyCFunction)notes_waiting, METH_NOARGS, "How many wakes are noted and not taken."},
    {"numbers", notes_numbers, METH_VARARGS, "The number of each of some things in a dictionary, as bytes."},
    {"identities", notes_identities, METH_VARARGS, "The same where the keys are the identities of the things."},
    {"looked_up", notes_looked_up, METH_VARARGS, "The entries of a list that are at some places, as bytes."},
    {"wakes", (PyCFunction)notes_wakes, METH_O, "Take the oldest so many of them, by column."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef notes_getset[] = {
    {"spots", (getter)notes_spots, NULL, "What the numbers of places stand for: a code and an offset in it.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot notes_slots[] = {
    {Py_tp_new, notes_new},
    {Py_tp_methods, notes_methods},
    {Py_tp_getset, notes_getset},
    {Py_tp_traverse, notes_traverse},
    {Py_tp_clear, notes_clear},
    {Py_tp_dealloc, notes_dealloc},
    {0, NULL},
};

static PyType_Spec notes_spec = {
    .name = "weft.watch._notes.Notes",
    .basicsize = sizeof(Notes),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = notes_slots,
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "weft.watch._notes", .m_doc = "Notes of switches and wakes, in C.", .m_size = -1,
};

PyMODINIT_FUNC
PyInit__notes(void)
{
    struct {
        PyObject **where;
        const char *text;
    } strings[] = {
        {&str_self, "__self__"}, {&str_block, "block"},     {&str_on, "on"},
        {&str_alarm, "alarm"},   {&str_gr_frame, "gr_frame"}, {&str_carrier, "carrier"},
        {&str_now, "now"},       {&str_frame, "frame"},     {&str_args, "args"},
        {&str_noted, "noted"},
    };
    for (size_t at = 0; at < sizeof(strings) / sizeof(strings[0]); at++) {
        *strings[at].where = PyUnicode_InternFromString(strings[at].text);
        if (*strings[at].where == NULL)
            return NULL;
    }
    PyObject *made = PyModule_Create(&module);
    if (made == NULL)
        return NULL;
    PyObject *notes_type = PyType_FromSpec(&notes_spec);
    tape_type = (PyTypeObject *)PyType_FromSpec(&tape_spec);
    mark_type = (PyTypeObject *)PyType_FromSpec(&mark_spec);
    if (notes_type == NULL || tape_type == NULL || mark_type == NULL ||
        PyModule_AddObjectRef(made, "Notes", notes_type) < 0) {
        Py_XDECREF(notes_type);
        Py_DECREF(made);
        return NULL;
    }
    Py_DECREF(notes_type);
    if (PyModule_AddIntConstant(made, "REVISION", REVISION) < 0) {
        Py_DECREF(made);
        return NULL;
    }
    return made;
}
