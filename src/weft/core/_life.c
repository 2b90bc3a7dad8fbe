/* What is hot in the life of a thread of the program, in C: the object is made, started, run by a worker, joined.
 *
 * Each function does the ordinary case, and hands all else to the one in Python that it is made of: `Work` to the
 * methods of models/loop.py, the others to those of stdlib/threading_fast.py. The two are of one behaviour.
 *
 * A worker that is C keeps no frame of Python below those of the program, and nothing interrupts it between two
 * threads: signals, other carriers and (since 3.12) collections come where Python code is run.
 *
 * The interpreter's lock guards it: a build without that lock has the Python version.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <structmember.h>

#ifdef Py_GIL_DISABLED
#error "the interpreter's lock guards this module"
#endif

#define REVISION 1 /* life.py has the same; raise both when what one expects of the other changes */

/* -- slots of classes in Python ---------------------------------------------------------------------------- */

/* Where the instances of these classes have them; `know` fills them in. */
static PyTypeObject *block_type, *worker_type, *loop_type, *model_type, *watchdog_type, *held_type, *begin_type;

static struct {
    Py_ssize_t alarm, begun, carrier, daemon, done, ending, ident, joiners, label, number, on, resume, run, since, thread,
        timer, value;
} of_block;
static struct {
    Py_ssize_t block;
} of_worker;
static struct {
    Py_ssize_t alive, enlist, listener, native_id, next, pick, plain, push, ready, spares, unlist, waiting;
} of_loop;
static struct {
    Py_ssize_t loop, preemption, started;
} of_model;
static struct {
    Py_ssize_t alive, asleep, prepared;
} of_watchdog;
static struct {
    Py_ssize_t _block, _done, _set, args, context, daemonic, initialized, identity, kwargs, kernel_id, name, number, stderr_, target;
} of_held;

typedef struct {
    const char *name;
    Py_ssize_t *at;
} Place;

#define PLACE(of, field) {#field, &of.field}

static Place block_places[] = {
    PLACE(of_block, alarm),   PLACE(of_block, begun),  PLACE(of_block, carrier), PLACE(of_block, daemon),
    PLACE(of_block, done),    PLACE(of_block, ending), PLACE(of_block, ident),   PLACE(of_block, joiners),
    PLACE(of_block, label),   PLACE(of_block, number), PLACE(of_block, on),      PLACE(of_block, resume),
    PLACE(of_block, run),     PLACE(of_block, since),  PLACE(of_block, thread),  PLACE(of_block, timer),
    PLACE(of_block, value),   {NULL, NULL},
};
static Place worker_places[] = {PLACE(of_worker, block), {NULL, NULL}};
static Place loop_places[] = {
    PLACE(of_loop, alive), PLACE(of_loop, enlist), PLACE(of_loop, listener), PLACE(of_loop, native_id),
    PLACE(of_loop, next),  PLACE(of_loop, pick),   PLACE(of_loop, plain),    PLACE(of_loop, push),
    PLACE(of_loop, ready), PLACE(of_loop, spares), PLACE(of_loop, unlist),   PLACE(of_loop, waiting),
    {NULL, NULL},
};
static Place model_places[] = {
    PLACE(of_model, loop), PLACE(of_model, preemption), PLACE(of_model, started), {NULL, NULL},
};
static Place watchdog_places[] = {
    PLACE(of_watchdog, alive), PLACE(of_watchdog, asleep), PLACE(of_watchdog, prepared), {NULL, NULL},
};
static Place held_places[] = {
    PLACE(of_held, _block),   PLACE(of_held, _done),     PLACE(of_held, _set),        PLACE(of_held, args),
    PLACE(of_held, context),  PLACE(of_held, daemonic),  PLACE(of_held, initialized), PLACE(of_held, identity),
    PLACE(of_held, kwargs),   PLACE(of_held, kernel_id), PLACE(of_held, name),        PLACE(of_held, number),
    PLACE(of_held, target),   {"stderr", &of_held.stderr_}, {NULL, NULL},
};

static struct {
    const char *name;
    PyTypeObject **type;
    Place *places;
} classes[] = {
    {"ControlBlock", &block_type, block_places}, {"Worker", &worker_type, worker_places},
    {"Loop", &loop_type, loop_places},           {"UserModel", &model_type, model_places},
    {"Preemption", &watchdog_type, watchdog_places}, {"Held", &held_type, held_places},
};

/* A slot of an object; it may be NULL. */
#define AT(of, offset) (*(PyObject **)((char *)(of) + (offset)))

/* Store into a slot. Letting go of what was there may run a finalizer. */
static inline void
store(PyObject *of, Py_ssize_t offset, PyObject *value)
{
    PyObject *before = AT(of, offset);
    AT(of, offset) = Py_NewRef(value);
    Py_XDECREF(before);
}

static inline void
forget(PyObject *of, Py_ssize_t offset)
{
    PyObject *before = AT(of, offset);
    AT(of, offset) = NULL;
    Py_XDECREF(before);
}

PyDoc_STRVAR(know_doc, "know(cls)\n--\n\nLearn where the instances of one of weft's classes have their slots.");

static PyObject *
know(PyObject *Py_UNUSED(module), PyObject *arg)
{
    if (!PyType_Check(arg))
        return PyErr_Format(PyExc_TypeError, "not a class: %R", arg);
    const char *name = ((PyTypeObject *)arg)->tp_name;
    for (size_t n = 0; n < sizeof classes / sizeof *classes; n++)
        if (strcmp(classes[n].name, name) == 0) {
            Py_ssize_t found[32], count = 0; /* all of them, or none is learnt */
            for (Place *place = classes[n].places; place->name != NULL; place++) {
                PyObject *slot = PyObject_GetAttrString(arg, place->name);
                if (slot == NULL)
                    return NULL;
                int is_slot = Py_IS_TYPE(slot, &PyMemberDescr_Type);
                if (is_slot)
                    found[count++] = ((PyMemberDescrObject *)slot)->d_member->offset;
                Py_DECREF(slot);
                if (!is_slot)
                    return PyErr_Format(PyExc_TypeError, "%s has no slot %s", name, place->name);
            }
            for (Py_ssize_t each = 0; each < count; each++)
                *classes[n].places[each].at = found[each];
            Py_XSETREF(*classes[n].type, (PyTypeObject *)Py_NewRef(arg));
            Py_RETURN_NONE;
        }
    return PyErr_Format(PyExc_TypeError, "nothing is to be known of %s", name);
}

/* -- what both halves use ------------------------------------------------------------------------------------ */

#define TEXTS(X) \
    X(append, "append") X(args, "args") X(block, "block") X(broken, "_broken") X(counter, "_counter") \
    X(daemon, "daemon") X(ended, "_ended") X(gr_context, "gr_context") X(idle, "idle") X(init, "__init__") \
    X(kwargs, "kwargs") X(launch, "launch") X(dunder_name, "__name__") X(name, "name") X(newname, "_newname") \
    X(nobody, "_nobody") X(profile_hook, "_profile_hook") X(retire, "_retire") X(run, "run") X(stderr, "stderr") \
    X(target, "target") X(trace_hook, "_trace_hook") X(weft, "_weft") X(_target, "_target") X(_args, "_args") \
    X(_kwargs, "_kwargs") X(_name, "_name")

#define X(name, text) static PyObject *str_##name;
TEXTS(X)
#undef X

static PyObject *no_args, *zero, *zero_time, *one, *sys_names; /* the last: what `sys` has */
static PyObject *getcurrent; /* greenlet's */

/* The running greenlet's control block, borrowed from it; NULL without an exception where it is none of ours. */
static PyObject *
current_block(void)
{
    PyObject *here = PyObject_CallNoArgs(getcurrent), *block = NULL;
    if (here == NULL) {
        PyErr_Clear();
        return NULL;
    }
    if (Py_IS_TYPE(here, worker_type))
        block = AT(here, of_worker.block);
    else {
        block = PyObject_GetAttr(here, str_block);
        if (block == NULL)
            PyErr_Clear();
        else
            Py_DECREF(block); /* the greenlet has it */
    }
    Py_DECREF(here);
    return block != NULL && Py_IS_TYPE(block, block_type) ? block : NULL;
}

/* A control block as `fresh_block` makes it. */
static PyObject *
new_block(PyObject *carrier, PyObject *run, PyObject *thread, PyObject *daemon)
{
    PyObject *block = block_type->tp_alloc(block_type, 0);
    if (block == NULL)
        return NULL;
    AT(block, of_block.carrier) = Py_NewRef(carrier);
    AT(block, of_block.run) = Py_NewRef(run);
    AT(block, of_block.thread) = Py_NewRef(thread);
    AT(block, of_block.daemon) = Py_NewRef(daemon);
    AT(block, of_block.begun) = Py_NewRef(Py_False);
    AT(block, of_block.done) = Py_NewRef(Py_False);
    AT(block, of_block.on) = Py_NewRef(Py_None);
    AT(block, of_block.timer) = Py_NewRef(Py_None);
    AT(block, of_block.value) = Py_NewRef(Py_None);
    AT(block, of_block.resume) = Py_NewRef(Py_None);
    AT(block, of_block.joiners) = Py_NewRef(Py_None);
    AT(block, of_block.ending) = Py_NewRef(Py_None);
    AT(block, of_block.label) = Py_NewRef(Py_None);
    AT(block, of_block.number) = Py_NewRef(Py_None);
    AT(block, of_block.alarm) = Py_NewRef(zero);
    AT(block, of_block.since) = Py_NewRef(zero_time);
    PyObject *ident = PyLong_FromVoidPtr(block);
    if (ident == NULL) {
        Py_DECREF(block);
        return NULL;
    }
    AT(block, of_block.ident) = ident;
    return block;
}

/* -- what a program's threads are made of -------------------------------------------------------------------- */

/* What the functions for the Thread of one executed `threading` share. */
typedef struct {
    PyObject_HEAD
    PyObject *own, *active;   /* the module's dictionary, and its `_active` */
    PyTypeObject *thread;     /* Thread itself */
    PyObject *newname;        /* the module's own `_newname` */
    PyObject *starter, *real_starter;
    PyObject *plain_run;
    PyObject *port;           /* the model */
    PyObject *body;           /* runs a thread: a Body */
    PyObject *slow_body, *failed, *endings;
    PyObject *slow_init, *slow_start, *slow_join;
    unsigned int run_tag; /* the version of Thread that has been found to be as it was */
} Ways;

static PyTypeObject *ways_type, *part_type, *body_type, *field_type, *view_type, *work_type;

#define WAYS(X) \
    X(own) X(active) X(thread) X(newname) X(starter) X(real_starter) X(plain_run) X(port) X(body) X(slow_body) X(failed) \
    X(endings) X(slow_init) X(slow_start) X(slow_join)

static int
ways_traverse(Ways *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
#define X(name) Py_VISIT(self->name);
    WAYS(X)
#undef X
    return 0;
}

static int
ways_clear(Ways *self)
{
#define X(name) Py_CLEAR(self->name);
    WAYS(X)
#undef X
    return 0;
}

static void
ways_dealloc(Ways *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    ways_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* -- the fields of a Thread, which its handle holds ------------------------------------------------------------ */

enum { PLAIN, OPTIONAL, NAME, KWARGS, ITSELF, INITIALIZED };

typedef struct {
    PyObject_HEAD
    PyObject *text;
    Py_ssize_t offset;
    int kind;
} Field;

/* What a Thread has in `_weft`, if that is ours; a new reference. `make`: there is to be one. */
static PyObject *
handle_of(PyObject *thread, int make)
{
    PyObject *held = PyObject_GenericGetAttr(thread, str_weft);
    if (held != NULL) {
        if (Py_IS_TYPE(held, held_type))
            return held;
        Py_DECREF(held);
        PyErr_SetString(PyExc_TypeError, "the attribute _weft of a thread is weft's own");
        return NULL;
    }
    if (!make || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return NULL;
    PyErr_Clear();
    held = held_type->tp_alloc(held_type, 0);
    if (held == NULL)
        return NULL;
    AT(held, of_held._block) = Py_NewRef(Py_None);
    AT(held, of_held._done) = Py_NewRef(Py_False);
    AT(held, of_held._set) = Py_NewRef(Py_False);
    if (PyObject_GenericSetAttr(thread, str_weft, held) < 0)
        Py_CLEAR(held);
    return held;
}

/* The name that a thread has been given, or that it has by its number and its target; borrowed. */
static PyObject *
name_of(PyObject *held)
{
    PyObject *number = AT(held, of_held.number), *name = AT(held, of_held.name);
    if (number == NULL)
        return name;
    PyObject *made = name == NULL ? PyUnicode_FromFormat("Thread-%S", number)
                                  : PyUnicode_FromFormat("Thread-%S (%U)", number, name);
    if (made == NULL)
        return NULL;
    AT(held, of_held.name) = made;
    AT(held, of_held.number) = NULL;
    Py_XDECREF(name);
    Py_DECREF(number);
    return made;
}

static PyObject *
field_get(Field *self, PyObject *thread, PyObject *Py_UNUSED(type))
{
    if (thread == NULL || thread == Py_None)
        return self->kind == INITIALIZED ? Py_NewRef(Py_False) : Py_NewRef((PyObject *)self);
    PyObject *held = handle_of(thread, 0), *value = NULL;
    if (held == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return NULL;
        PyErr_Clear();
    }
    else if (self->kind == ITSELF)
        return held;
    else {
        value = self->kind == NAME ? name_of(held) : AT(held, self->offset);
        if (value == NULL && PyErr_Occurred()) {
            Py_DECREF(held);
            return NULL;
        }
        if (self->kind == OPTIONAL && value == NULL)
            value = Py_None;
        if (self->kind == KWARGS && value == Py_None) { /* there were none: a dictionary when one is asked for */
            PyObject *made = PyDict_New();
            if (made != NULL)
                store(held, self->offset, made);
            Py_XDECREF(made);
            value = made;
        }
        Py_XINCREF(value);
        Py_DECREF(held);
    }
    if (value == NULL && self->kind == INITIALIZED)
        Py_RETURN_FALSE;
    if (value == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_AttributeError, "'%.100s' object has no attribute %R", Py_TYPE(thread)->tp_name, self->text);
    return value;
}

static int
field_set(Field *self, PyObject *thread, PyObject *value)
{
    PyObject *held = handle_of(thread, value != NULL);
    if (held == NULL) {
        if (value == NULL && PyErr_ExceptionMatches(PyExc_AttributeError))
            PyErr_SetObject(PyExc_AttributeError, self->text);
        return -1;
    }
    int missing = value == NULL && AT(held, self->offset) == NULL && !(self->kind == NAME && AT(held, of_held.number));
    if (missing)
        PyErr_SetObject(PyExc_AttributeError, self->text);
    else {
        if (self->kind == NAME)
            forget(held, of_held.number);
        if (value == NULL)
            forget(held, self->offset);
        else
            store(held, self->offset, value);
    }
    Py_DECREF(held);
    return missing ? -1 : 0;
}

PyDoc_STRVAR(field_doc, "field(name)\n--\n\nThe descriptor of a field of threads, for their class.");

static PyObject *
field(PyObject *Py_UNUSED(module), PyObject *text)
{
    static const struct {
        const char *text;
        Py_ssize_t *at;
        int kind;
    } known[] = {
        {"_target", &of_held.target, PLAIN},
        {"_args", &of_held.args, PLAIN},
        {"_kwargs", &of_held.kwargs, KWARGS},
        {"_name", &of_held.name, NAME},
        {"_daemonic", &of_held.daemonic, PLAIN},
        {"_ident", &of_held.identity, OPTIONAL},
        {"_native_id", &of_held.kernel_id, OPTIONAL},
        {"_stderr", &of_held.stderr_, PLAIN},
        {"_initialized", &of_held.initialized, INITIALIZED},
        {"_context", &of_held.context, PLAIN}, /* 3.14 */
        {"_started", NULL, ITSELF},
        {"_handle", NULL, ITSELF},           /* 3.13 */
        {"_os_thread_handle", NULL, ITSELF}, /* 3.14 */
    };
    if (!PyUnicode_Check(text))
        return PyErr_Format(PyExc_TypeError, "not a name: %R", text);
    for (size_t n = 0; n < sizeof known / sizeof *known; n++)
        if (PyUnicode_CompareWithASCIIString(text, known[n].text) == 0) {
            /* The handle itself gives way to what a program stores under its names. */
            PyTypeObject *type = known[n].at == NULL ? view_type : field_type;
            Field *self = (Field *)type->tp_alloc(type, 0);
            if (self != NULL) {
                self->text = Py_NewRef(text);
                self->offset = known[n].at == NULL ? 0 : *known[n].at;
                self->kind = known[n].kind;
            }
            return (PyObject *)self;
        }
    return PyErr_Format(PyExc_ValueError, "threads have no field %R", text);
}

static void
field_dealloc(Field *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(self->text);
    type->tp_free(self);
    Py_DECREF(type);
}

/* -- made ------------------------------------------------------------------------------------------------------ */

/* The text of a target's `__name__`, a new reference. 1: found; 0: it has none; -1: not as usual, or an exception. */
static int
name_of_target(PyObject *target, PyObject **name)
{
    *name = NULL;
    if (target == Py_None)
        return 0;
    if (PyFunction_Check(target))
        *name = Py_NewRef(((PyFunctionObject *)target)->func_name);
    else {
        *name = PyObject_GetAttr(target, str_dunder_name);
        if (*name == NULL) {
            if (!PyErr_ExceptionMatches(PyExc_AttributeError))
                return -1;
            PyErr_Clear();
            return 0;
        }
    }
    if (PyUnicode_CheckExact(*name))
        return 1;
    Py_CLEAR(*name);
    return -1;
}

/* The constructor's ordinary case. 1: done; 0: not for us, and nothing has been done; -1: an exception. */
static int
set_up(Ways *ways, PyObject *thread, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *group = Py_None, *target = Py_None, *name = Py_None, *call_args = no_args, *kwargs = Py_None, *daemon = Py_None;
    PyObject **given[] = {&group, &target, &name, &call_args, &kwargs};
    if (count > 5)
        return 0;
    for (Py_ssize_t n = 0; n < count; n++)
        *given[n] = args[n];
    Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    for (Py_ssize_t n = 0; n < named; n++) {
        PyObject *key = PyTuple_GET_ITEM(names, n), *value = args[count + n];
        Py_ssize_t which;
        if (key == str_target)
            which = 1;
        else if (key == str_args)
            which = 3;
        else if (key == str_daemon) {
            daemon = value;
            continue;
        }
        else if (key == str_name)
            which = 2;
        else if (key == str_kwargs)
            which = 4;
        else
            return 0; /* the group, no such argument, or a text that is not interned */
        if (which < count)
            return 0; /* given twice */
        *given[which] = value;
    }
    if (group != Py_None || (name != Py_None && (!PyUnicode_CheckExact(name) || PyUnicode_GET_LENGTH(name) == 0)))
        return 0;
    if (daemon == Py_None) {
        PyObject *me = current_block();
        if (me == NULL || AT(me, of_block.thread) == Py_None)
            return 0;
        daemon = AT(me, of_block.daemon);
    }
    PyObject *error_file = PyDict_GetItemWithError(sys_names, str_stderr);
    if (error_file == NULL)
        return PyErr_Occurred() ? -1 : 0;
    PyObject *number = NULL, *text = NULL;
    if (name != Py_None)
        text = Py_NewRef(name);
    else {
        if (PyDict_GetItemWithError(ways->own, str_newname) != ways->newname)
            return PyErr_Occurred() ? -1 : 0;
        PyObject *counter = PyDict_GetItemWithError(ways->own, str_counter);
        if (counter == NULL)
            return PyErr_Occurred() ? -1 : 0;
        if (name_of_target(target, &text) < 0)
            return PyErr_Occurred() ? -1 : 0;
        number = PyObject_CallNoArgs(counter);
        if (number == NULL) {
            Py_XDECREF(text);
            return -1;
        }
    }
    PyObject *held = held_type->tp_alloc(held_type, 0);
    if (held == NULL) {
        Py_XDECREF(text);
        Py_XDECREF(number);
        return -1;
    }
    AT(held, of_held._block) = Py_NewRef(Py_None);
    AT(held, of_held._done) = Py_NewRef(Py_False);
    AT(held, of_held._set) = Py_NewRef(Py_False);
    AT(held, of_held.target) = Py_NewRef(target);
    AT(held, of_held.args) = Py_NewRef(call_args);
    AT(held, of_held.kwargs) = Py_NewRef(kwargs);
    AT(held, of_held.context) = Py_NewRef(Py_None);
    AT(held, of_held.name) = text;
    AT(held, of_held.number) = number;
    AT(held, of_held.daemonic) = Py_NewRef(daemon);
    AT(held, of_held.stderr_) = Py_NewRef(error_file);
    AT(held, of_held.initialized) = Py_NewRef(Py_True);
    int failed = PyObject_GenericSetAttr(thread, str_weft, held) < 0;
    Py_DECREF(held);
    return failed ? -1 : 1;
}

/* -- the methods -------------------------------------------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    Ways *ways;
    PyObject *dict;
} Part;

static PyObject *
init_call(Part *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (count > 0 && PyObject_TypeCheck(args[0], self->ways->thread)) {
        int done = set_up(self->ways, args[0], args + 1, count - 1, names);
        if (done < 0)
            return NULL;
        if (done)
            Py_RETURN_NONE;
    }
    return PyObject_Vectorcall(self->ways->slow_init, args, nargsf, names);
}

/* Thread(...) itself, without the tuple and the dictionary that `type.__call__` makes of the arguments. */
static PyObject *
make_thread(PyObject *type_, PyObject *const *args, size_t nargsf, PyObject *names)
{
    PyTypeObject *type = (PyTypeObject *)type_;
    PyObject *init = _PyType_Lookup(type, str_init);
    if (init != NULL && Py_IS_TYPE(init, part_type) && ((Part *)init)->vectorcall == (vectorcallfunc)init_call &&
        type->tp_new == PyBaseObject_Type.tp_new && ((Part *)init)->ways->thread == type) {
        Ways *ways = ((Part *)init)->ways;
        PyObject *thread = PyBaseObject_Type.tp_new(type, no_args, NULL);
        if (thread == NULL)
            return NULL;
        int done = set_up(ways, thread, args, PyVectorcall_NARGS(nargsf), names);
        if (done > 0)
            return thread;
        Py_DECREF(thread);
        if (done < 0)
            return NULL;
    }
    Py_ssize_t count = PyVectorcall_NARGS(nargsf), named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    PyObject *tuple = PyTuple_New(count), *dict = named == 0 ? NULL : PyDict_New(), *made = NULL;
    if (tuple == NULL || (named != 0 && dict == NULL))
        goto done;
    for (Py_ssize_t n = 0; n < count; n++)
        PyTuple_SET_ITEM(tuple, n, Py_NewRef(args[n]));
    for (Py_ssize_t n = 0; n < named; n++)
        if (PyDict_SetItem(dict, PyTuple_GET_ITEM(names, n), args[count + n]) < 0)
            goto done;
    made = PyType_Type.tp_call(type_, tuple, dict);
done:
    Py_XDECREF(tuple);
    Py_XDECREF(dict);
    return made;
}

/* A block for a thread that starts on the one carrier of the user model, put into its line. 1: done; 0: not for us,
 * and nothing has been done; -1: an exception, and `held` has no block. */
static int
launch(Ways *ways, PyObject *thread, PyObject *held)
{
    PyObject *model = ways->port;
    if (!Py_IS_TYPE(model, model_type))
        return 0;
    PyObject *watchdog = AT(model, of_model.preemption), *loop = AT(model, of_model.loop);
    PyObject *daemon = AT(held, of_held.daemonic);
    if (watchdog == NULL || !Py_IS_TYPE(loop, loop_type) || daemon == NULL)
        return 0;
    if (watchdog != Py_None &&
        (!Py_IS_TYPE(watchdog, watchdog_type) || AT(watchdog, of_watchdog.asleep) != Py_False ||
         AT(watchdog, of_watchdog.alive) != Py_True || AT(watchdog, of_watchdog.prepared) != Py_True))
        return 0;
    PyObject *block = new_block(loop, ways->body, thread, daemon), *grown = NULL;
    if (block == NULL)
        return -1;
    PyObject *ident = AT(block, of_block.ident);
    store(held, of_held._block, block);
    store(held, of_held.identity, ident);
    store(held, of_held.kernel_id, AT(loop, of_loop.native_id));
    if (PyDict_SetItem(ways->active, ident, thread) < 0)
        goto failed;
    grown = PyNumber_Add(AT(model, of_model.started), one);
    if (grown == NULL)
        goto failed;
    store(model, of_model.started, grown);
    Py_DECREF(grown);
    PyObject *done;
    Py_ssize_t ready = PyObject_Size(AT(loop, of_loop.ready)), spares = PyObject_Size(AT(loop, of_loop.spares));
    if (ready < 0 || spares < 0)
        goto failed;
    if (AT(loop, of_loop.plain) != Py_True || AT(loop, of_loop.waiting) != Py_False || (ready == 0 && spares != 0)) {
        done = PyObject_CallMethodOneArg(loop, str_launch, block);
        if (done == NULL)
            goto failed;
    }
    else {
        if (PyDict_SetItem(AT(loop, of_loop.alive), block, Py_None) < 0)
            goto failed;
        done = PyObject_CallOneArg(AT(loop, of_loop.enlist), block);
        if (done == NULL)
            goto failed;
        Py_DECREF(done);
        done = PyObject_CallOneArg(AT(loop, of_loop.push), AT(loop, of_loop.next));
        if (done == NULL)
            goto failed;
    }
    Py_DECREF(done);
    Py_DECREF(block);
    return 1;
failed:
    store(held, of_held._block, Py_None);
    Py_DECREF(block);
    return -1;
}

/* Whether Thread is as it was, so that what its instances' handles hold is what a thread of it does. */
static int
is_plain(Ways *ways)
{
    PyTypeObject *type = ways->thread;
    if (type->tp_version_tag != 0 && type->tp_version_tag == ways->run_tag)
        return 1;
    static PyObject **const fields[] = {&str__target, &str__args, &str__kwargs, &str__name};
    if (_PyType_Lookup(type, str_run) != ways->plain_run)
        return 0;
    for (size_t n = 0; n < sizeof fields / sizeof *fields; n++) {
        PyObject *found = _PyType_Lookup(type, *fields[n]);
        if (found == NULL || !Py_IS_TYPE(found, field_type))
            return 0;
    }
    ways->run_tag = type->tp_version_tag;
    return 1;
}

static PyObject *
start_call(Part *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    Ways *ways = self->ways;
    PyObject *held = NULL;
    if (PyVectorcall_NARGS(nargsf) != 1 || names != NULL || !PyObject_TypeCheck(args[0], ways->thread))
        goto slow;
    held = handle_of(args[0], 0);
    if (held == NULL) {
        PyErr_Clear();
        goto slow;
    }
    if (AT(held, of_held._set) != Py_False || AT(held, of_held.initialized) == NULL ||
        PyDict_GetItemWithError(ways->own, ways->starter) != ways->real_starter)
        goto slow;
    store(held, of_held._set, Py_True);
    int done = launch(ways, args[0], held);
    if (done != 1)
        store(held, of_held._set, Py_False);
    if (done == 0)
        goto slow;
    Py_DECREF(held);
    if (done < 0)
        return NULL;
    Py_RETURN_NONE;
slow:
    Py_XDECREF(held);
    if (PyErr_Occurred())
        return NULL;
    return PyObject_Vectorcall(ways->slow_start, args, nargsf, names);
}

static PyObject *
join_call(Part *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    Ways *ways = self->ways;
    if (PyVectorcall_NARGS(nargsf) == 1 && names == NULL && PyObject_TypeCheck(args[0], ways->thread)) {
        PyObject *held = handle_of(args[0], 0);
        if (held == NULL)
            PyErr_Clear();
        else {
            PyObject *block = AT(held, of_held._block);
            int over = AT(held, of_held._set) == Py_True && Py_IS_TYPE(block, block_type) &&
                       AT(block, of_block.done) == Py_True;
            PyObject *me = over ? current_block() : NULL;
            over = me != NULL && me != block && AT(me, of_block.thread) != Py_None;
            Py_DECREF(held);
            if (over)
                Py_RETURN_NONE;
        }
    }
    return PyObject_Vectorcall(ways->slow_join, args, nargsf, names);
}

static PyObject *
part_get(PyObject *self, PyObject *of, PyObject *Py_UNUSED(type))
{
    return of == NULL || of == Py_None ? Py_NewRef(self) : PyMethod_New(self, of);
}

static int
part_traverse(Part *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->ways);
    Py_VISIT(self->dict);
    return 0;
}

static int
part_clear(Part *self)
{
    Py_CLEAR(self->ways);
    Py_CLEAR(self->dict);
    return 0;
}

static void
part_dealloc(Part *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    part_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* -- run ------------------------------------------------------------------------------------------------------------ */

/* What a started Thread's block has to run. */
typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    Ways *ways;
} Body;

/* Run the thread of a block, and do what the end of a thread does while it is still the current one. -1: an exception. */
static int
run_thread(Ways *ways, PyObject *block)
{
    PyObject *thread = AT(block, of_block.thread), *held = NULL, *hook;
    if (!Py_IS_TYPE(thread, ways->thread) || !is_plain(ways))
        goto slow;
    hook = PyDict_GetItemWithError(ways->own, str_trace_hook);
    if (hook != Py_None)
        goto slow;
    hook = PyDict_GetItemWithError(ways->own, str_profile_hook);
    if (hook != Py_None)
        goto slow;
    PyObject *run = PyObject_GenericGetAttr(thread, str_run); /* it may have one of its own */
    if (run == NULL)
        return -1;
    int plain = PyMethod_Check(run) && PyMethod_GET_FUNCTION(run) == ways->plain_run && PyMethod_GET_SELF(run) == thread;
    Py_DECREF(run);
    if (!plain)
        goto slow;
    held = handle_of(thread, 0);
    if (held == NULL) {
        PyErr_Clear();
        goto slow;
    }
    PyObject *target = AT(held, of_held.target), *args = AT(held, of_held.args), *kwargs = AT(held, of_held.kwargs);
    PyObject *context = AT(held, of_held.context); /* it is to run in, since 3.14 */
    if ((context != NULL && context != Py_None) || target == NULL || args == NULL || kwargs == NULL || (target != Py_None && !PyTuple_CheckExact(args)) ||
        (kwargs != Py_None && !PyDict_CheckExact(kwargs)))
        goto slow;
    Py_INCREF(thread); /* from here on it is ours to run */
    PyObject *result = NULL;
    if (target != Py_None) {
        Py_INCREF(target);
        Py_INCREF(args);
        Py_INCREF(kwargs);
        result = PyObject_Call(target, args, kwargs == Py_None || PyDict_GET_SIZE(kwargs) == 0 ? NULL : kwargs);
        Py_DECREF(kwargs);
        Py_DECREF(args);
        Py_DECREF(target);
    }
    else
        result = Py_NewRef(Py_None);
    PyObject *kind = NULL, *error = NULL, *traceback = NULL;
    if (result == NULL) {
        PyErr_Fetch(&kind, &error, &traceback);
        PyErr_NormalizeException(&kind, &error, &traceback);
        if (traceback != NULL)
            PyException_SetTraceback(error, traceback);
    }
    Py_XDECREF(result);
    forget(held, of_held.target);
    forget(held, of_held.args);
    forget(held, of_held.kwargs);
    if (error != NULL) {
        Py_XDECREF(kind);
        Py_XDECREF(traceback);
        result = PyObject_CallFunctionObjArgs(ways->failed, block, thread, error, NULL);
        Py_DECREF(error);
        if (result == NULL)
            goto broken;
        Py_DECREF(result);
    }
    if (PyDict_DelItem(ways->active, AT(block, of_block.ident)) < 0)
        goto broken;
    if (AT(block, of_block.ending) != Py_None) {
        result = PyObject_CallOneArg(ways->endings, block);
        if (result == NULL)
            goto broken;
        Py_DECREF(result);
    }
    PyObject *name = AT(held, of_held.name), *number = AT(held, of_held.number); /* for a report, if one is made */
    store(block, of_block.label, name == NULL ? Py_None : name);
    store(block, of_block.number, number == NULL ? Py_None : number);
    store(block, of_block.thread, Py_None);
    Py_DECREF(held);
    Py_DECREF(thread);
    return 0;
broken:
    Py_DECREF(held);
    Py_DECREF(thread);
    return -1;
slow:
    Py_XDECREF(held);
    if (PyErr_Occurred())
        return -1;
    hook = PyObject_CallOneArg(ways->slow_body, block);
    Py_XDECREF(hook);
    return hook == NULL ? -1 : 0;
}

static PyObject *
body_call(Body *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    if (PyVectorcall_NARGS(nargsf) != 1 || names != NULL || !Py_IS_TYPE(args[0], block_type))
        return PyErr_Format(PyExc_TypeError, "the body of a thread takes its block");
    if (run_thread(self->ways, args[0]) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static int
body_traverse(Body *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->ways);
    return 0;
}

static int
body_clear(Body *self)
{
    Py_CLEAR(self->ways);
    return 0;
}

static void
body_dealloc(Body *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    body_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* The life of a worker of one loop: `Loop._work`. */
typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *loop;
    Py_ssize_t most; /* spare workers that are kept */
} Work;

/* What runs next, when the worker's thread has ended; a new reference. */
static PyObject *
next_of(PyObject *loop, PyObject *me, PyObject *turn)
{
    PyObject *resume = PyObject_CallNoArgs(AT(loop, of_loop.pick));
    if (resume != NULL || !PyErr_ExceptionMatches(PyExc_IndexError))
        return resume;
    PyErr_Clear();
    if (turn != NULL) { /* what the program's thread held is let go */
        PyObject *nobody = PyObject_CallMethodOneArg(loop, str_nobody, turn);
        if (nobody == NULL)
            return NULL;
        store(me, of_worker.block, nobody);
        Py_DECREF(nobody);
    }
    return PyObject_CallMethodNoArgs(loop, str_idle);
}

/* The thread of a block has its turn on this worker and ends. -1: an exception. */
static int
live(PyObject *loop, PyObject *me, PyObject *block)
{
    PyObject *run = AT(block, of_block.run), *result;
    int failed;
    store(block, of_block.begun, Py_True);
    Py_INCREF(run);
    if (Py_IS_TYPE(run, body_type))
        failed = run_thread(((Body *)run)->ways, block) < 0;
    else {
        result = PyObject_CallOneArg(run, block);
        failed = result == NULL;
        Py_XDECREF(result);
    }
    Py_DECREF(run);
    if (failed) {
        PyObject *kind, *error, *traceback;
        PyErr_Fetch(&kind, &error, &traceback);
        PyErr_NormalizeException(&kind, &error, &traceback);
        result = PyObject_CallMethodObjArgs(loop, str_broken, block, error, NULL);
        Py_XDECREF(kind);
        Py_XDECREF(error);
        Py_XDECREF(traceback);
        if (result == NULL)
            return -1;
        Py_DECREF(result);
    }
    store(block, of_block.run, Py_None);
    store(block, of_block.done, Py_True);
    if (PyDict_DelItem(AT(loop, of_loop.alive), block) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_KeyError))
            return -1;
        PyErr_Clear();
    }
    if (AT(loop, of_loop.listener) != Py_None || AT(block, of_block.joiners) != Py_None ||
        PyDict_GET_SIZE(AT(loop, of_loop.alive)) == 0) {
        result = PyObject_CallMethodOneArg(loop, str_ended, block);
        if (result == NULL)
            return -1;
        Py_DECREF(result);
    }
    if (PyThreadState_Get()->context != NULL)
        return PyObject_SetAttr(me, str_gr_context, Py_None);
    return 0;
}

static PyObject *
work_call(Work *self, PyObject *const *Py_UNUSED(args), size_t Py_UNUSED(nargsf), PyObject *Py_UNUSED(names))
{
    PyObject *loop = self->loop, *me = PyObject_CallNoArgs(getcurrent), *turn = NULL, *resume = NULL, *block = NULL;
    if (me == NULL || !Py_IS_TYPE(me, worker_type) || !Py_IS_TYPE(AT(me, of_worker.block), block_type)) {
        Py_XDECREF(me);
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "this is no worker with a thread to run");
    }
    turn = Py_NewRef(AT(AT(me, of_worker.block), of_block.resume));
    for (;;) {
        Py_XSETREF(block, Py_NewRef(AT(me, of_worker.block)));
        if (live(loop, me, block) < 0)
            break;
        Py_CLEAR(block);
        Py_XSETREF(resume, next_of(loop, me, turn));
        if (resume == NULL)
            break;
        if (resume == AT(loop, of_loop.next))
            block = PyObject_CallNoArgs(AT(loop, of_loop.unlist));
        else if (Py_IS_TYPE(resume, begin_type)) {
            PyObject *args = PyObject_GetAttr(resume, str_args);
            block = args == NULL ? NULL : Py_XNewRef(PyTuple_GetItem(args, 0));
            Py_XDECREF(args);
        }
        else {
            int ended;
            do {
                PyObject *spares = AT(loop, of_loop.spares);
                PyObject *done = PyObject_Size(spares) < self->most ? PyObject_CallMethodOneArg(spares, str_append, me)
                                                                    : PyObject_CallMethodOneArg(loop, str_retire, me);
                if (done == NULL)
                    goto out;
                Py_DECREF(done);
                done = PyObject_CallNoArgs(resume);
                if (done == NULL)
                    goto out;
                Py_DECREF(done);
                ended = AT(AT(me, of_worker.block), of_block.done) == Py_True;
                if (ended) { /* a wake came for a thread that has ended here: there is nothing to run */
                    Py_XSETREF(resume, next_of(loop, me, NULL));
                    if (resume == NULL)
                        goto out;
                }
            } while (ended);
            continue;
        }
        if (block == NULL)
            break;
        store(me, of_worker.block, block);
        store(block, of_block.resume, turn);
    }
out:
    Py_XDECREF(block);
    Py_XDECREF(resume);
    Py_XDECREF(turn);
    Py_DECREF(me);
    return NULL;
}

static PyObject *
work_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    PyObject *loop;
    Py_ssize_t most;
    if (!PyArg_ParseTuple(args, "On:Work", &loop, &most))
        return NULL;
    if (loop_type == NULL || !PyObject_TypeCheck(loop, loop_type) || block_type == NULL || worker_type == NULL)
        return PyErr_Format(PyExc_TypeError, "no loop that is known: %R", loop);
    Work *self = (Work *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->vectorcall = (vectorcallfunc)work_call;
        self->loop = Py_NewRef(loop);
        self->most = most;
    }
    return (PyObject *)self;
}

static int
work_traverse(Work *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->loop);
    return 0;
}

static int
work_clear(Work *self)
{
    Py_CLEAR(self->loop);
    return 0;
}

static void
work_dealloc(Work *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    work_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* -- the module --------------------------------------------------------------------------------------------------- */

PyDoc_STRVAR(methods_doc,
             "methods(**given)\n--\n\n"
             "`__init__`, `start`, `join` and the body of one executed module's Thread, which is called without them.\n\n"
             "Each of these does the ordinary case and calls the version in Python that is given for all else.");

static PyObject *
methods(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"own",       "active", "thread",   "newname",   "starter",    "real_starter", "plain_run", "port",
                            "slow_body", "failed", "endings",  "slow_init", "slow_start", "slow_join",    NULL};
    Ways *ways = (Ways *)ways_type->tp_alloc(ways_type, 0);
    Part *parts[3] = {NULL, NULL, NULL};
    Body *body = NULL;
    PyObject *found = NULL;
    if (ways == NULL)
        return NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "$O!O!O!OUOOOOOOOOO:methods", names, &PyDict_Type, &ways->own, &PyDict_Type,
                                     &ways->active, &PyType_Type, &ways->thread, &ways->newname, &ways->starter,
                                     &ways->real_starter, &ways->plain_run, &ways->port, &ways->slow_body, &ways->failed,
                                     &ways->endings, &ways->slow_init, &ways->slow_start, &ways->slow_join)) {
#define X(name) ways->name = NULL; /* borrowed so far */
        WAYS(X)
#undef X
        goto done;
    }
#define X(name) Py_XINCREF(ways->name);
    WAYS(X)
#undef X
    if (block_type == NULL || held_type == NULL) { /* the others are a model's */
        PyErr_SetString(PyExc_TypeError, "ControlBlock and Held are not known yet");
        goto done;
    }
    static const vectorcallfunc calls[] = {(vectorcallfunc)init_call, (vectorcallfunc)start_call, (vectorcallfunc)join_call};
    for (int n = 0; n < 3; n++) {
        parts[n] = (Part *)part_type->tp_alloc(part_type, 0);
        if (parts[n] == NULL)
            goto done;
        parts[n]->vectorcall = calls[n];
        parts[n]->ways = (Ways *)Py_NewRef((PyObject *)ways);
    }
    body = (Body *)body_type->tp_alloc(body_type, 0);
    if (body == NULL)
        goto done;
    body->vectorcall = (vectorcallfunc)body_call;
    body->ways = (Ways *)Py_NewRef((PyObject *)ways);
    ways->body = Py_NewRef((PyObject *)body);
    ways->thread->tp_vectorcall = make_thread;
    found = PyTuple_Pack(4, parts[0], parts[1], parts[2], body);
done:
    for (int n = 0; n < 3; n++)
        Py_XDECREF(parts[n]);
    Py_XDECREF(body);
    Py_DECREF(ways);
    return found;
}

static PyMemberDef part_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Part, vectorcall), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(Part, dict), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};
static PyMemberDef body_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Body, vectorcall), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};
static PyMemberDef work_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Work, vectorcall), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};
static PyGetSetDef part_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot ways_slots[] = {
    {Py_tp_traverse, ways_traverse}, {Py_tp_clear, ways_clear}, {Py_tp_dealloc, ways_dealloc}, {0, NULL},
};
static PyType_Slot field_slots[] = {
    {Py_tp_descr_get, field_get}, {Py_tp_descr_set, field_set}, {Py_tp_dealloc, field_dealloc}, {0, NULL},
};
static PyType_Slot view_slots[] = {
    {Py_tp_descr_get, field_get}, {Py_tp_dealloc, field_dealloc}, {0, NULL},
};
static PyType_Slot part_slots[] = {
    {Py_tp_call, PyVectorcall_Call}, {Py_tp_descr_get, part_get}, {Py_tp_members, part_members},
    {Py_tp_getset, part_getset},     {Py_tp_traverse, part_traverse}, {Py_tp_clear, part_clear},
    {Py_tp_dealloc, part_dealloc},   {0, NULL},
};
static PyType_Slot body_slots[] = {
    {Py_tp_call, PyVectorcall_Call}, {Py_tp_members, body_members}, {Py_tp_traverse, body_traverse},
    {Py_tp_clear, body_clear},       {Py_tp_dealloc, body_dealloc}, {0, NULL},
};
static PyType_Slot work_slots[] = {
    {Py_tp_new, work_new},           {Py_tp_call, PyVectorcall_Call}, {Py_tp_members, work_members},
    {Py_tp_traverse, work_traverse}, {Py_tp_clear, work_clear},       {Py_tp_dealloc, work_dealloc},
    {0, NULL},
};

#define FIXED (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE)

static struct {
    PyTypeObject **type;
    PyType_Spec spec;
} kinds[] = {
    {&ways_type, {"weft.core._life.Ways", sizeof(Ways), 0, FIXED | Py_TPFLAGS_HAVE_GC, ways_slots}},
    {&field_type, {"weft.core._life.Field", sizeof(Field), 0, FIXED, field_slots}},
    {&view_type, {"weft.core._life.View", sizeof(Field), 0, FIXED, view_slots}},
    {&part_type,
     {"weft.core._life.Part", sizeof(Part), 0,
      FIXED | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR, part_slots}},
    {&body_type,
     {"weft.core._life.Body", sizeof(Body), 0, FIXED | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL, body_slots}},
    {&work_type,
     {"weft.core._life.Work", sizeof(Work), 0, FIXED | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL, work_slots}},
};

static PyMethodDef functions[] = {
    {"know", know, METH_O, know_doc},
    {"field", field, METH_O, field_doc},
    {"methods", (PyCFunction)(void (*)(void))methods, METH_VARARGS | METH_KEYWORDS, methods_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "weft.core._life", .m_doc = "What is hot in the life of a thread, in C.", .m_size = -1,
    .m_methods = functions,
};

/* What another module has under a name; a new reference. */
static PyObject *
taken(const char *from, const char *name)
{
    PyObject *where = PyImport_ImportModule(from), *found = NULL;
    if (where != NULL)
        found = PyObject_GetAttrString(where, name);
    Py_XDECREF(where);
    return found;
}

PyMODINIT_FUNC
PyInit__life(void)
{
#define X(name, text) \
    if ((str_##name = PyUnicode_InternFromString(text)) == NULL) \
        return NULL;
    TEXTS(X)
#undef X
    no_args = PyTuple_New(0);
    zero = PyLong_FromLong(0);
    one = PyLong_FromLong(1);
    zero_time = PyFloat_FromDouble(0);
    sys_names = taken("sys", "__dict__");
    getcurrent = taken("greenlet", "getcurrent");
    begin_type = (PyTypeObject *)taken("_functools", "partial");
    if (no_args == NULL || zero == NULL || one == NULL || zero_time == NULL || sys_names == NULL || getcurrent == NULL ||
        begin_type == NULL)
        return NULL;
    for (size_t n = 0; n < sizeof kinds / sizeof *kinds; n++) {
        *kinds[n].type = (PyTypeObject *)PyType_FromSpec(&kinds[n].spec);
        if (*kinds[n].type == NULL)
            return NULL;
    }
    PyObject *made = PyModule_Create(&module);
    if (made == NULL)
        return NULL;
    if (PyModule_AddObjectRef(made, "Work", (PyObject *)work_type) < 0 ||
        PyModule_AddIntConstant(made, "REVISION", REVISION) < 0) {
        Py_DECREF(made);
        return NULL;
    }
    return made;
}
